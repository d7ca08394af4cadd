"""How "a flush is wanted" is kept: counts, states, bits, ranges, pointers: more C for the interpreter, like cases.py."""

WANTED = {
    "present entries counted": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	int held = 0;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte);
		held += present(old);
	}
	if (held)
		flush();
	drop(ptl);
}""",
    "present entries counted, as truths": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	int held = 0;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte);
		held += !!present(old);
	}
	if (held > 0)
		flush();
	drop(ptl);
}""",
    "absent entries counted (bad)": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	int gone = 0;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte); /* bad: FLUSH */
		gone += none(old);
	}
	if (gone)
		flush();
	drop(ptl);
}""",
    "present bytes counted": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	unsigned long bytes = 0;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte);
		bytes += present(old) * PAGE_SIZE;
	}
	if (bytes)
		flush();
	drop(ptl);
}""",
    "a size that is never 0": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	unsigned long bytes = 0;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte);
		if (present(old))
			bytes = PAGE_SIZE;
	}
	if (bytes)
		flush();
	drop(ptl);
}""",
    "the last one decides (bad)": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	bool stale = false;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte); /* bad: FLUSH */
		stale = present(old);
	}
	if (stale)
		flush();
	drop(ptl);
}""",
    "reset for what is absent (bad)": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	bool stale = false;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte); /* bad: FLUSH */
		if (present(old))
			stale = true;
		else
			stale = false;
	}
	if (stale)
		flush();
	drop(ptl);
}""",
    "kept by a choice": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	bool stale = false;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte);
		stale = stale ? stale : present(old);
	}
	if (stale)
		flush();
	drop(ptl);
}""",
    "states in order": """
enum want { WANT_NONE, WANT_SYNC, WANT_ALL = 5 };
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	enum want want = WANT_NONE;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte);
		if (present(old))
			want = WANT_SYNC;
	}
	if (want >= WANT_SYNC)
		flush();
	drop(ptl);
}""",
    "states above none": """
enum want { WANT_NONE, WANT_SYNC, WANT_ALL = 5 };
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	enum want want = WANT_NONE;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte);
		if (present(old))
			want = WANT_SYNC;
	}
	if (want > WANT_NONE)
		flush();
	drop(ptl);
}""",
    "a state above the one reached (bad)": """
enum want { WANT_NONE, WANT_SYNC, WANT_ALL = 5 };
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	enum want want = WANT_NONE;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte); /* bad: FLUSH */
		if (present(old))
			want = WANT_SYNC;
	}
	if (want > WANT_SYNC)
		flush();
	drop(ptl);
}""",
    "one of two states": """
enum want { WANT_NONE, WANT_SYNC, WANT_ALL = 5 };
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	enum want want = WANT_NONE;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte);
		if (present(old))
			want = WANT_SYNC;
		if (other(n)) {
			want = WANT_ALL;
			break;
		}
	}
	if (want == WANT_SYNC || want == WANT_ALL)
		flush();
	drop(ptl);
}""",
    "a state that overwrites another (bad)": """
enum want { WANT_NONE, WANT_SYNC, WANT_ALL = 5 };
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	enum want want = WANT_NONE;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte); /* bad: FLUSH */
		want = present(old) ? WANT_ALL : WANT_SYNC;
	}
	if (want == WANT_ALL)
		flush();
	drop(ptl);
}""",
    "bits that a macro names": """
#define W_SEEN BIT(0)
#define W_STALE (1 << 1)
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	unsigned int word = 0;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte);
		word |= W_SEEN;
		if (present(old))
			word |= W_STALE;
	}
	if ((word & W_STALE) == W_STALE)
		flush();
	drop(ptl);
}""",
    "bits in a result": """
static unsigned int look(pte_t old) {
	unsigned int out = 0;
	if (other(1))
		out |= L_SEEN;
	if (present(old))
		out |= L_STALE;
	return out;
}
static void note(pte_t old, unsigned int *out) {
	if (other(1))
		*out |= L_SEEN;
	if (present(old))
		*out |= L_STALE;
}
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	unsigned int word = 0;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte);
		word |= look(old);
	}
	if (word & L_STALE)
		flush();
	drop(ptl);
}""",
    "another bit in a result (bad)": """
static unsigned int look(pte_t old) {
	unsigned int out = 0;
	if (other(1))
		out |= L_SEEN;
	if (present(old))
		out |= L_STALE;
	return out;
}
static void note(pte_t old, unsigned int *out) {
	if (other(1))
		*out |= L_SEEN;
	if (present(old))
		*out |= L_STALE;
}
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	unsigned int word = 0;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte); /* bad: FLUSH */
		word |= look(old);
	}
	if (word & L_SEEN)
		flush();
	drop(ptl);
}""",
    "bits behind a pointer": """
static unsigned int look(pte_t old) {
	unsigned int out = 0;
	if (other(1))
		out |= L_SEEN;
	if (present(old))
		out |= L_STALE;
	return out;
}
static void note(pte_t old, unsigned int *out) {
	if (other(1))
		*out |= L_SEEN;
	if (present(old))
		*out |= L_STALE;
}
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	unsigned int word = 0;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte);
		note(old, &word);
	}
	if (word & L_STALE)
		flush();
	drop(ptl);
}""",
    "another bit behind a pointer (bad)": """
static unsigned int look(pte_t old) {
	unsigned int out = 0;
	if (other(1))
		out |= L_SEEN;
	if (present(old))
		out |= L_STALE;
	return out;
}
static void note(pte_t old, unsigned int *out) {
	if (other(1))
		*out |= L_SEEN;
	if (present(old))
		*out |= L_STALE;
}
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	unsigned int word = 0;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte); /* bad: FLUSH */
		note(old, &word);
	}
	if (word & L_SEEN)
		flush();
	drop(ptl);
}""",
    "a result by its cases": """
enum met { MET_NONE, MET_STALE, MET_LAST };
static enum met meet(pte_t old) {
	enum met met = MET_NONE;
	if (present(old))
		met = MET_STALE;
	return other(1) ? MET_LAST : met;
}
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	int stale = 0;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte);
		switch (meet(old)) {
		case MET_LAST:
			stale = 1;
			goto out;
		case MET_STALE:
			stale = 1;
		case MET_NONE:
			break;
		}
	}
out:
	if (stale)
		flush();
	drop(ptl);
}""",
    "a result by its cases, one forgotten (bad)": """
enum met { MET_NONE, MET_STALE, MET_LAST };
static enum met meet(pte_t old) {
	enum met met = MET_NONE;
	if (present(old))
		met = MET_STALE;
	return other(1) ? MET_LAST : met;
}
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	int stale = 0;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte); /* bad: FLUSH */
		switch (meet(old)) {
		case MET_LAST:
			goto out;
		case MET_STALE:
			stale = 1;
		case MET_NONE:
			break;
		}
	}
out:
	if (stale)
		flush();
	drop(ptl);
}""",
    "a range that is not empty": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	unsigned long low = 0, high = 0;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte);
		if (present(old)) {
			if (!high)
				low = addr;
			high = addr + PAGE_SIZE;
		}
	}
	if (high > low)
		flush();
	drop(ptl);
}""",
    "a range by its bounds": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	unsigned long low = ULONG_MAX, high = 0;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte);
		if (present(old)) {
			if (addr < low)
				low = addr;
			if (addr + PAGE_SIZE > high)
				high = addr + PAGE_SIZE;
		}
	}
	if (low < high)
		flush();
	drop(ptl);
}""",
    "a range that begins where it ends (bad)": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	unsigned long low = 0, high = 0;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte); /* bad: FLUSH */
		if (present(old)) {
			if (!high)
				low = addr;
			high = addr;
		}
	}
	if (high > low)
		flush();
	drop(ptl);
}""",
    "a range for each entry (bad)": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	unsigned long high = 0;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte); /* bad: FLUSH */
		high = present(old) ? addr + PAGE_SIZE : 0;
	}
	if (high)
		flush();
	drop(ptl);
}""",
    "a range that a helper widens": """
static void widen(unsigned long *low, unsigned long *high, unsigned long from, unsigned long to) {
	if (!*high)
		*low = from;
	*high = to;
}
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	unsigned long low = 0, high = 0;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte);
		if (present(old))
			widen(&low, &high, addr, addr + PAGE_SIZE);
	}
	if (high)
		flush();
	drop(ptl);
}""",
    "how far it came": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	unsigned long first = addr, moved;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte);
	}
	moved = addr - first;
	if (moved)
		flush();
	drop(ptl);
}""",
    "a pointer": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	struct vma *wanted = NULL;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte);
		if (present(old))
			wanted = vma;
	}
	if (wanted)
		flush();
	drop(ptl);
}""",
    "a pointer for what is absent (bad)": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	struct vma *wanted = NULL;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte); /* bad: FLUSH */
		if (!present(old))
			wanted = vma;
	}
	if (wanted)
		flush();
	drop(ptl);
}""",
    "the last index": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n, struct vma *vma) {
	int last = -1;
	pte_t old;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		old = clear(pte);
		if (present(old))
			last = n;
	}
	if (last >= 0)
		flush();
	drop(ptl);
}""",
    "asked before it is taken out": """
void f(spinlock_t *ptl, pte_t *pte) {
	bool held;
	take(ptl);
	held = present(read(pte));
	clear(pte);
	if (held)
		flush();
	drop(ptl);
}""",
    "asked of another before it is taken out (bad)": """
void f(spinlock_t *ptl, pte_t *pte, pte_t *other_pte) {
	bool held;
	take(ptl);
	held = present(read(other_pte));
	clear(pte); /* bad: FLUSH */
	if (held)
		flush();
	drop(ptl);
}""",
}
