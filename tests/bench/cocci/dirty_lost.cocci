// An entry that may be dirty is cleared and its old value is dropped. Approximates TLB002.
virtual report

@hit@
expression mm, addr, pte;
position p;
@@
(
  ptep_get_and_clear@p(mm, addr, pte);
|
  ptep_clear_flush@p(mm, addr, pte);
|
  pmdp_huge_get_and_clear@p(mm, addr, pte);
)

@script:python depends on report@
p << hit.p;
@@
print("%s:%s: the old entry is not looked at" % (p[0].file, p[0].line))
