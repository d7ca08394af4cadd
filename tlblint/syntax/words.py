"""Word lists of the normaliser: attribute macros, primitive types, what a loop macro is called."""

from __future__ import annotations

ARGUMENT_ATTRIBUTES = frozenset(
    b"__attribute__ __attribute __printf __scanf __section __aligned __acquires __releases __must_hold __cond_acquires __cond_releases"
    b" __acquires_shared __releases_shared __must_hold_shared __alloc_size __no_sanitize __free __cleanup __counted_by __counted_by_le"
    b" __counted_by_be __counted_by_ptr __sized_by __class __declspec __alias __assume_aligned __compiletime_error __compiletime_warning"
    b" __guarded_by __pt_guarded_by __context_unsafe __acquire_ret __aligned_largest __realloc_size __gcc_no_sanitize __diagnose_as".split()
)
ATTRIBUTES = frozenset(
    b"__init __initdata __initconst __exit __exitdata __exit_p __meminit __meminitdata __memexit __cpuinit __cpuexit __devinit __devexit"
    b" __ref __refdata __refconst __net_init __net_exit __net_initdata __init_or_module __init_memblock __init_or_suspend __head __startup_64"
    b" __always_inline __no_kcsan __no_sanitize_address __no_sanitize_thread __no_sanitize_memory __no_sanitize_undefined __no_kasan_or_inline"
    b" __no_kcsan_or_inline __no_sanitize_or_inline __no_profile __no_stack_protector __no_randomize_layout __no_caller_saved_registers"
    b" __nocfi __noscs __noendbr __noreturn __noclone __noipa __noinitretpoline __nostackprotector __no_fgcse __no_kmsan_checks"
    b" __must_check __maybe_unused __always_unused __used __unused __pure __attribute_const__ __const __cold __hot __weak __visible __malloc"
    b" __flatten __naked __nonstring __packed __sched __cpuidle __kprobes __latent_entropy __irq_entry __softirq_entry __entry_text"
    b" __exception_irq_entry __inittext __lockfunc __ksym __bpf_kfunc __bpf_hook_start __bpf_hook_end __nosavedata __ro_after_init __read_mostly"
    b" __cacheline_aligned ____cacheline_aligned ____cacheline_aligned_in_smp ____cacheline_internodealigned_in_smp __page_aligned_data"
    b" __page_aligned_bss __aligned_u64 __user __kernel __iomem __rcu __percpu __force __nocast __safe __private __bitwise __bitwise__ __randomize_layout"
    b" __designated_init __deprecated __signed __no_context_analysis __context_unsafe__ __tsan_ignore __uses_fp __rwlock __flush_tlb_head"
    b" __efi_init __efi_memdesc_ptr __uml_setup __syscall __kunit_init __nvme_init __psci_init __mips_init __meminit_or_hotplug __hyp_text"
    b" noinline noinline_for_stack noinline_for_kasan noinline_for_tracing notrace noinstr asmlinkage nokprobe_inline asmregparm fastcall"
    b" __noinline __noinline_for_stack __inline_maybe STATIC_NOPV __uaccess_begin_nospec_attr dotraplinkage __flags_noipa"
    b" __restorefp __trace __save_fp __annotate_jump_table __no_ret_protection __section_fixed __ptrauth __swnode __ref_ok __xen_init __text_init".split()
) - {b"__aligned_u64", b"__const", b"__rwlock"}
PRIMITIVES = frozenset(
    b"unsigned signed long int short char void float double bool _Bool size_t ssize_t ptrdiff_t intptr_t uintptr_t"
    b" int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t".split()
)
STATEMENT_WORDS = frozenset(
    b"if for while switch return do else case goto sizeof typeof __typeof__ __typeof asm __asm__ __asm defined _Static_assert"
    b" static_assert __auto_type unsigned signed long int short char void const volatile struct union enum".split()
)
LOOPS = rb"(?i)each|iter|loop|while|walk|foreach|^for_|_for_|traverse|^for[A-Z]"

HEADER_KEYWORDS = frozenset(
    b"static inline __inline __inline__ extern const volatile register restrict __restrict __restrict__ unsigned signed long int short char void"
    b" float double bool _Bool struct union enum typeof __typeof__ _Noreturn __extension__ __const __volatile__ __signed__ size_t ssize_t".split()
)
HEADER_TYPES = frozenset(
    b"unsigned signed long int short char void float double bool _Bool struct union enum typeof __typeof__ __signed__ size_t ssize_t".split()
)
