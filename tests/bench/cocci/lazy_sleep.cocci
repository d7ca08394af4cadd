// Something that may sleep between entering and leaving lazy MMU mode. Approximates TLB003: one function at a time.
virtual report

@hit@
position p;
@@
(
  arch_enter_lazy_mmu_mode();
|
  lazy_mmu_mode_enable();
)
  ... when != arch_leave_lazy_mmu_mode();
      when != lazy_mmu_mode_disable();
(
  cond_resched@p();
|
  might_sleep@p();
|
  msleep@p(...);
|
  mutex_lock@p(...);
)

@script:python depends on report@
p << hit.p;
@@
print("%s:%s: may sleep in lazy MMU mode" % (p[0].file, p[0].line))
