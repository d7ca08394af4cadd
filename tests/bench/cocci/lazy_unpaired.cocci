// A return that is reached in lazy MMU mode. Approximates TLB003.
virtual report

@hit exists@
position p;
@@
(
  arch_enter_lazy_mmu_mode@p();
|
  lazy_mmu_mode_enable@p();
)
  ... when != arch_leave_lazy_mmu_mode();
      when != lazy_mmu_mode_disable();
  return ...;

@script:python depends on report@
p << hit.p;
@@
print("%s:%s: lazy MMU mode is not left" % (p[0].file, p[0].line))
