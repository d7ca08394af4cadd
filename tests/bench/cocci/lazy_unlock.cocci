// The page table lock is released in lazy MMU mode. Approximates TLB003.
virtual report

@hit exists@
expression pte, ptl;
position p;
@@
(
  arch_enter_lazy_mmu_mode();
|
  lazy_mmu_mode_enable();
)
  ... when != arch_leave_lazy_mmu_mode();
      when != lazy_mmu_mode_disable();
  pte_unmap_unlock@p(pte, ptl);

@script:python depends on report@
p << hit.p;
@@
print("%s:%s: unlock in lazy MMU mode" % (p[0].file, p[0].line))
