// The flush of cleared entries comes after the page table lock is released. Approximates TLB004.
virtual report

@hit exists@
expression e, vma;
position p;
@@
(
  ptep_get_and_clear(...)
|
  ptep_set_wrprotect(...)
)
  ... when != flush_tlb_range(...);
      when != flush_tlb_page(...);
      when != flush_tlb_mm(...);
(
  pte_unmap_unlock(...);
|
  spin_unlock(e);
)
  ...
(
  flush_tlb_range@p(vma, ...);
|
  flush_tlb_page@p(vma, ...);
)

@script:python depends on report@
p << hit.p;
@@
print("%s:%s: flushed after the unlock" % (p[0].file, p[0].line))
