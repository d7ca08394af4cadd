// Entries are cleared or changed under a page table lock that was taken without flush_tlb_batched_pending(). Approximates TLB001.
virtual report

@hit exists@
expression mm, pmd, addr, ptl, pte;
position p;
@@
  pte = pte_offset_map_lock(mm, pmd, addr, &ptl)
  ... when != flush_tlb_batched_pending(...);
      when != pte_unmap_unlock(...);
(
  ptep_get_and_clear@p(...)
|
  ptep_modify_prot_start@p(...)
|
  ptep_get_and_clear_full@p(...)
)

@script:python depends on report@
p << hit.p;
@@
print("%s:%s: batch of reclaim not flushed" % (p[0].file, p[0].line))
