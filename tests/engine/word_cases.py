"""Words of flags, bits in them, addresses that stand for none or move on, copied pointers: more C for the interpreter, like cases.py."""

WORDS = {
    "bit by number": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long w = 0;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte);
			w |= BIT(3);
		}
	}
	if (w & BIT(3))
		flush();
	drop(ptl);
}""",
    "bit by number, another one asked (bad)": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long w = 0;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte); /* bad: FLUSH */
			w |= BIT(3);
		}
	}
	if (w & BIT(4))
		flush();
	drop(ptl);
}""",
    "bit by shift and by its macro": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long w = 0;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte);
			w |= 1UL << W_STALE;
		}
	}
	if (w & BIT_ULL(W_STALE))
		flush();
	drop(ptl);
}""",
    "bit by shift and by its macro, another one asked (bad)": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long w = 0;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte); /* bad: FLUSH */
			w |= 1UL << W_STALE;
		}
	}
	if (w & BIT_ULL(W_OTHER))
		flush();
	drop(ptl);
}""",
    "two bits at once": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long w = 0;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte);
			w |= F_OLD | F_STALE;
		}
	}
	if (w & F_STALE)
		flush();
	drop(ptl);
}""",
    "two bits at once, another one asked (bad)": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long w = 0;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte); /* bad: FLUSH */
			w |= F_OLD | F_STALE;
		}
	}
	if (w & F_OTHER)
		flush();
	drop(ptl);
}""",
    "bit operations on a local word": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long w = 0;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte);
			__set_bit(2, &w);
		}
	}
	if (test_bit(2, &w))
		flush();
	drop(ptl);
}""",
    "bit operations on a local word, another one asked (bad)": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long w = 0;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte); /* bad: FLUSH */
			__set_bit(2, &w);
		}
	}
	if (test_bit(5, &w))
		flush();
	drop(ptl);
}""",
    "bit taken back while it is asked": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long w = 0;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte);
			set_bit(W_STALE, &w);
		}
	}
	if (__test_and_clear_bit(W_STALE, &w))
		flush();
	drop(ptl);
}""",
    "bit taken back while it is asked, another one asked (bad)": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long w = 0;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte); /* bad: FLUSH */
			set_bit(W_STALE, &w);
		}
	}
	if (__test_and_clear_bit(W_OTHER, &w))
		flush();
	drop(ptl);
}""",
    "none yet is the last address": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long first = -1UL;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte);
			if (first == -1UL) first = addr;
		}
	}
	if (first != -1UL)
		flush();
	drop(ptl);
}""",
    "none yet is the last address, asked the wrong way round (bad)": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long first = -1UL;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte); /* bad: FLUSH */
			if (first == -1UL) first = addr;
		}
	}
	if (first == -1UL)
		flush();
	drop(ptl);
}""",
    "lowest so far": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long first = ULONG_MAX;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte);
			first = min(first, addr);
		}
	}
	if (first != ULONG_MAX)
		flush();
	drop(ptl);
}""",
    "lowest so far, asked the wrong way round (bad)": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long first = ULONG_MAX;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte); /* bad: FLUSH */
			first = min(first, addr);
		}
	}
	if (first == ULONG_MAX)
		flush();
	drop(ptl);
}""",
    "lowest and highest so far": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long first = ULONG_MAX, last = 0;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte);
			first = min(first, addr); last = max(last, addr + PAGE_SIZE);
		}
	}
	if (first < last)
		flush();
	drop(ptl);
}""",
    "lowest and highest so far, asked the wrong way round (bad)": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long first = ULONG_MAX, last = 0;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte); /* bad: FLUSH */
			first = min(first, addr); last = max(last, addr + PAGE_SIZE);
		}
	}
	if (last < first)
		flush();
	drop(ptl);
}""",
    "highest so far": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long last = 0;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte);
			last = max(last, addr + PAGE_SIZE);
		}
	}
	if (last)
		flush();
	drop(ptl);
}""",
    "highest so far, asked the wrong way round (bad)": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long last = 0;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte); /* bad: FLUSH */
			last = max(last, addr + PAGE_SIZE);
		}
	}
	if (!last)
		flush();
	drop(ptl);
}""",
    "bit of a word that something else is or-ed into": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long w = 0;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte);
			w |= F_STALE; if (other(n)) w |= F_OTHER;
		}
	}
	if (w & F_STALE)
		flush();
	drop(ptl);
}""",
    "bit of a word that another bit is taken out of": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long w = 0;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte);
			w |= F_STALE; w &= ~F_OTHER;
		}
	}
	if (w & F_STALE)
		flush();
	drop(ptl);
}""",
    "bit that was taken out again (bad)": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long w = 0;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte); /* bad: FLUSH */
			w |= F_STALE; w &= ~F_STALE;
		}
	}
	if (w & F_STALE)
		flush();
	drop(ptl);
}""",
    "bit of a word that is written anew (bad)": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long w = 0;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte); /* bad: FLUSH */
			w |= F_STALE; w = other(n);
		}
	}
	if (w & F_STALE)
		flush();
	drop(ptl);
}""",
    "bit cleared by a bit operation (bad)": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long w = 0;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte); /* bad: FLUSH */
			__set_bit(1, &w); __clear_bit(1, &w);
		}
	}
	if (test_bit(1, &w))
		flush();
	drop(ptl);
}""",
    "word that has the bit and nothing else": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long w = 0;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte);
			w = F_STALE;
		}
	}
	if (w & F_STALE)
		flush();
	drop(ptl);
}""",
    "lowest so far of one, highest so far of another address (bad)": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long first = ULONG_MAX, last = 0;
	take(ptl);
	for (; n; n--, pte++, addr += PAGE_SIZE) {
		if (other(n)) {
			clear(pte); /* bad: FLUSH */
			first = min(first, addr); last = max(last, other(n));
		}
	}
	if (first < last)
		flush();
	drop(ptl);
}""",
    "switch over a truth value": """
void f(spinlock_t *ptl, pte_t *pte) {
	pte_t old;
	take(ptl);
	old = clear(pte);
	switch (present(old)) {
	case true:
		flush();
		break;
	case false:
		break;
	}
	drop(ptl);
}""",
    "switch over a truth value, the wrong way round (bad)": """
void f(spinlock_t *ptl, pte_t *pte) {
	pte_t old;
	take(ptl);
	old = clear(pte); /* bad: FLUSH */
	switch (present(old)) {
	case false:
		flush();
		break;
	case true:
		break;
	}
	drop(ptl);
}""",
    "lock below a copied pointer, dropped in a helper": """
void f(struct walk *walk) {
	struct part *part = walk->private;
	take(&part->ptl);
	drop_part(part);
}
static void drop_part(struct part *part) { drop(&part->ptl); }""",
    "lock below a copied pointer, dropped in a helper that asks whether there is one": """
void f(struct walk *walk) {
	struct part *part = walk->private;
	take(&part->ptl);
	drop_part(part);
}
static void drop_part(struct part *part) {
	if (part)
		other(1);
	drop(&part->ptl);
}""",
    "lock below a copied pointer, another one dropped in a helper (bad)": """
void f(struct walk *walk, struct part *other) {
	struct part *part = walk->private;
	take(&part->ptl); /* bad: LOCK */
	drop_part(other);
}
static void drop_part(struct part *part) { drop(&part->ptl); }""",
    "helper that gets a pointer and what it leads to": """
void f(struct walk *walk) {
	struct part *part = walk->private;
	take(&part->ptl);
	drop_part(walk, part);
}
static void drop_part(struct walk *walk, struct part *part) { if (walk->n) other(1); drop(&part->ptl); }""",
    "address moved on in a helper": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long start = addr;
	take(ptl);
	for (; n; n--)
		if (!one(&pte, &addr, n))
			break;
	if (addr > start)
		flush();
	drop(ptl);
}
static bool one(pte_t **pte, unsigned long *addr, int n) {
	if (other(n))
		return false;
	clear(*pte);
	*addr += PAGE_SIZE;
	(*pte)++;
	return true;
}""",
    "address set back in a helper (bad)": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, int n) {
	unsigned long start = addr;
	take(ptl);
	for (; n; n--)
		if (!one(&pte, &addr, n))
			break;
	if (addr > start)
		flush();
	drop(ptl);
}
static bool one(pte_t **pte, unsigned long *addr, int n) {
	clear(*pte); /* bad: FLUSH */
	*addr = other(n);
	(*pte)++;
	return other(n);
}""",
    "copies of copies handed over side by side": """
void f(struct part *third, int n) {
	struct part *second = third, *first = second;
	take(&third->ptl);
	pass(first, second, n);
	drop_one(third, first);
}
static void pass(struct part *a, struct part *b, int n) { if (a && b && n) other(n); if (a == b) other(1); }
static void drop_one(struct part *a, struct part *b) { if (!a || !b) other(1); drop(&a->ptl); }""",
}
