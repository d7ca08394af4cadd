"""Lock guards that the kernel's own headers define: what is called where one comes to life, and where its scope ends.

What is not named here is called by the names that the macros of cleanup.h make: ``class_NAME_constructor`` and ``class_NAME_destructor``.
"""

from __future__ import annotations

from typing import NamedTuple


class Guard(NamedTuple):
    """``take`` and ``drop`` are function names; ``flags``: both are given a word for the interrupt flags as well.

    ``success``: None if the lock is always there afterwards, else the truth of the result of ``take`` that says so.
    """

    take: str
    drop: str
    flags: bool = False
    success: bool | None = None


_SPIN = ("", "_irq", "_bh", "_irqsave")
_PLAIN = {
    "mutex": ("mutex_lock", "mutex_unlock"),
    "rwsem_read": ("down_read", "up_read"),
    "rwsem_write": ("down_write", "up_write"),
    "mmap_read_lock": ("mmap_read_lock", "mmap_read_unlock"),
    "mmap_write_lock": ("mmap_write_lock", "mmap_write_unlock"),
    "percpu_read": ("percpu_down_read", "percpu_up_read"),
    "percpu_write": ("percpu_down_write", "percpu_up_write"),
    "raw_spinlock_nested": ("raw_spin_lock", "raw_spin_unlock"),
    "rcu": ("rcu_read_lock", "rcu_read_unlock"),
    "preempt": ("preempt_disable", "preempt_enable"),
    "preempt_notrace": ("preempt_disable_notrace", "preempt_enable_notrace"),
    "migrate": ("migrate_disable", "migrate_enable"),
    "pagefault": ("pagefault_disable", "pagefault_enable"),
    "irq": ("local_irq_disable", "local_irq_enable"),
}
_MAYBE = {
    "mutex_try": ("mutex_trylock", "mutex_unlock", True),
    "mutex_intr": ("mutex_lock_interruptible", "mutex_unlock", False),
    "mutex_kill": ("mutex_lock_killable", "mutex_unlock", False),
    "rwsem_read_try": ("down_read_trylock", "up_read", True),
    "rwsem_read_intr": ("down_read_interruptible", "up_read", False),
    "rwsem_read_kill": ("down_read_killable", "up_read", False),
    "rwsem_write_try": ("down_write_trylock", "up_write", True),
    "rwsem_write_kill": ("down_write_killable", "up_write", False),
    "mmap_read_lock_try": ("mmap_read_trylock", "mmap_read_unlock", True),
    "percpu_read_try": ("percpu_down_read_trylock", "percpu_up_read", True),
}
GUARDS: dict[str, Guard] = {
    **{name: Guard(*pair) for name, pair in _PLAIN.items()},
    **{name: Guard(take, drop, False, success) for name, (take, drop, success) in _MAYBE.items()},
}
for _raw in ("", "raw_"):
    for _kind in _SPIN:
        _drop = f"{_raw}spin_unlock{_kind.replace('save', 'restore')}"
        GUARDS[f"{_raw}spinlock{_kind}"] = Guard(f"{_raw}spin_lock{_kind}", _drop, _kind == "_irqsave")
        GUARDS[f"{_raw}spinlock{_kind}_try"] = Guard(f"{_raw}spin_trylock{_kind}", _drop, _kind == "_irqsave", True)
for _way in ("read", "write"):
    for _kind in _SPIN:
        GUARDS[f"{_way}_lock{_kind}"] = Guard(f"{_way}_lock{_kind}", f"{_way}_unlock{_kind.replace('save', 'restore')}", _kind == "_irqsave")
