"""Own C in the shape of generation schemes: what a kernel has, and what a posted series made of it."""

from __future__ import annotations

MM = """
struct mm_struct { atomic64_t tlb_gen; atomic64_t tlb_gen_completed; atomic_t tlb_flush_pending; };
struct vm_area_struct { struct mm_struct *vm_mm; atomic64_t defer_tlb_gen; };
struct page { u64 deferred_tlb_gen; };
struct mmu_gather { struct mm_struct *mm; struct vm_area_struct *vma; unsigned long start, end; u64 defer_gen; };
struct flush_info { struct mm_struct *mm; unsigned long start, end; u64 new_tlb_gen; unsigned int stride_shift; };
#define ALL -1UL

static inline u64 inc_mm_tlb_gen(struct mm_struct *mm) { return atomic64_inc_return(&mm->tlb_gen); }

static inline void forward(atomic64_t *gen, u64 to)
{
	u64 now = atomic64_read(gen);

	while (now < to) {
		u64 seen = atomic64_cmpxchg(gen, now, to);

		if (seen == now)
			break;
		now = seen;
	}
}
"""

HANDLER = """
void flush_tlb_one_user(unsigned long address);
void flush_tlb_local(void);
void flush_tlb_others(const struct cpumask *mask, const struct flush_info *info);

static void flush_tlb_func_common(const struct flush_info *f, bool local)
{
	struct mm_struct *now = this_cpu_read(cpu_tlbstate.loaded_mm);
	u64 newest = atomic64_read(&now->tlb_gen);
	u64 local_tlb_gen = this_cpu_read(cpu_tlbstate.ctxs[0].tlb_gen);

	if (now == &init_mm)
		return;
	if (local_tlb_gen == newest)
		return;
	if (f->end != ALL && f->new_tlb_gen == local_tlb_gen + 1 && f->new_tlb_gen == newest) {
		unsigned long address;

		for (address = f->start; address < f->end; address += 1UL << f->stride_shift)
			flush_tlb_one_user(address);
	} else {
		flush_tlb_local();
	}
	this_cpu_write(cpu_tlbstate.ctxs[0].tlb_gen, newest);
}

static void flush_tlb_func_remote(void *info)
{
	const struct flush_info *f = info;

	if (f->mm && f->mm != this_cpu_read(cpu_tlbstate.loaded_mm))
		return;
	flush_tlb_func_common(f, false);
}
"""

RANGE = """
void flush_tlb_mm_range(struct mm_struct *mm, unsigned long start, unsigned long end, unsigned int stride_shift, bool freed_tables)
{
	struct flush_info info;

	info.mm = mm;
	info.start = start;
	info.end = end;
	info.stride_shift = stride_shift;
	info.new_tlb_gen = inc_mm_tlb_gen(mm);
	if (cpumask_any_but(mm_cpumask(mm), get_cpu()) < nr_cpu_ids)
		flush_tlb_others(mm_cpumask(mm), &info);
}
"""

GENERATIONS = MM + HANDLER + RANGE

DEFERRED = (
    MM
    + HANDLER
    + """
void flush_tlb_mm_range_gen(struct mm_struct *mm, unsigned long start, unsigned long end, unsigned int stride_shift, bool freed_tables, u64 gen)
{
	struct flush_info info;

	gen = inc_mm_tlb_gen(mm);
	info.mm = mm;
	info.start = start;
	info.end = end;
	info.stride_shift = stride_shift;
	info.new_tlb_gen = gen;
	if (cpumask_any_but(mm_cpumask(mm), get_cpu()) < nr_cpu_ids)
		flush_tlb_others(mm_cpumask(mm), &info);
	forward(&mm->tlb_gen_completed, gen);
}

void flush_tlb_mm_range(struct mm_struct *mm, unsigned long start, unsigned long end, unsigned int stride_shift, bool freed_tables)
{
	u64 gen = inc_mm_tlb_gen(mm);

	flush_tlb_mm_range_gen(mm, start, end, stride_shift, freed_tables, gen);
}

static inline void tlb_flush(struct mmu_gather *tlb)
{
	if (tlb->fullmm) {
		flush_tlb_mm_range(tlb->mm, 0, ALL, 12, false);
		return;
	}
	if (atomic64_read(&tlb->mm->tlb_gen_completed) > tlb->defer_gen)
		return;
	flush_tlb_mm_range_gen(tlb->mm, tlb->start, tlb->end, 12, false, tlb->defer_gen);
}

static inline void read_defer_tlb_flush_gen(struct mmu_gather *tlb)
{
	if (atomic64_read(&tlb->mm->tlb_gen) != tlb->defer_gen)
		tlb->defer_gen = inc_mm_tlb_gen(tlb->mm);
}
"""
)

IN_VMA = (
    DEFERRED
    + """
static inline void track_defer_tlb_flush(struct mmu_gather *tlb)
{
	read_defer_tlb_flush_gen(tlb);
	forward(&tlb->vma->defer_tlb_gen, tlb->defer_gen);
}

static inline bool pte_tlb_flush_pending(struct vm_area_struct *vma, pte_t *pte)
{
	return atomic64_read(&vma->defer_tlb_gen) < atomic64_read(&vma->vm_mm->tlb_gen_completed);
}
"""
)

IN_TABLE = (
    DEFERRED
    + """
struct page *pte_to_page(pte_t *pte);
static inline void track_defer_tlb_flush(struct mmu_gather *tlb, struct page *page)
{
	read_defer_tlb_flush_gen(tlb);
	page->deferred_tlb_gen = tlb->defer_gen;
}

#define pte_tlb_flush_pending(vma, pte) ({ struct mm_struct *mm = (vma)->vm_mm; \\
	pte_to_page(pte)->deferred_tlb_gen < atomic64_read(&mm->tlb_gen_completed); })
"""
)

MASK = (
    MM
    + HANDLER.replace(
        "		flush_tlb_local();\n",
        """		int cpu = smp_processor_id();

		flush_tlb_local();
		if (cpumask_test_cpu(cpu, &tlb_flush_batched_cpumask))
			cpumask_clear_cpu(cpu, &tlb_flush_batched_cpumask);
""",
    )
    + RANGE
    + """
static const struct flush_info everything = { .start = 0, .end = ALL };

void try_to_unmap_flush(void)
{
	if (!current->tlb_ubc.flush_required)
		return;
	if (cpumask_any_but(&tlb_flush_batched_cpumask, get_cpu()) < nr_cpu_ids)
		flush_tlb_others(&tlb_flush_batched_cpumask, &everything);
	current->tlb_ubc.flush_required = false;
}

static void set_tlb_ubc_flush_pending(struct mm_struct *mm, bool writable)
{
	cpumask_or(&tlb_flush_batched_cpumask, &tlb_flush_batched_cpumask, mm_cpumask(mm));
	inc_mm_tlb_gen(mm);
	current->tlb_ubc.flush_required = true;
}
"""
)

COUNT = (
    MM
    + """
static inline void inc_tlb_flush_pending(struct mm_struct *mm) { atomic_inc(&mm->tlb_flush_pending); }
static inline void dec_tlb_flush_pending(struct mm_struct *mm) { atomic_dec(&mm->tlb_flush_pending); }
static inline bool mm_tlb_flush_pending(struct mm_struct *mm) { return atomic_read(&mm->tlb_flush_pending); }
static inline bool mm_tlb_flush_nested(struct mm_struct *mm) { return atomic_read(&mm->tlb_flush_pending) > 1; }
"""
)
