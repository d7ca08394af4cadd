"""C for the interpreter, by what it takes to judge it. Defects are marked on their lines; see small.py for the API.

A title ends in " (bad)" where there is a defect: most cases come as a right one and a broken twin.
"""

from tests.engine.wanted_cases import WANTED
from tests.engine.word_cases import WORDS

GUARDS = {
    "flag set in a loop, tested after": """
void f(spinlock_t *ptl, pte_t *pte, int n) {
	int force = 0;
	take(ptl);
	for (; n; n--, pte++) { clear(pte); force = 1; }
	if (force)
		flush();
	drop(ptl);
}""",
    "flag set in a loop under another condition (bad)": """
void f(spinlock_t *ptl, pte_t *pte, int n) {
	int force = 0;
	take(ptl);
	for (; n; n--, pte++) {
		clear(pte); /* bad: FLUSH */
		if (other(n))
			force = 1;
	}
	if (force)
		flush();
	drop(ptl);
}""",
    "flag tested, then reset too early (bad)": """
void f(spinlock_t *ptl, pte_t *pte) {
	int force = 0;
	take(ptl);
	clear(pte); /* bad: FLUSH */
	force = 1;
	force = 0;
	if (force)
		flush();
	drop(ptl);
}""",
    "flag or-ed from a predicate": """
void f(spinlock_t *ptl, pte_t *pte, struct page *page, int n) {
	bool seen = false;
	for (; n; n--, pte++)
		seen |= dirty(clear_one(pte));
	if (seen)
		mark(page);
}
static pte_t clear_one(pte_t *pte) { pte_t old; take(&zap_ptl); old = clear(pte); flush(); drop(&zap_ptl); return old; }""",
    "null-correlated pointer": """
void f(pmd_t *pmd, int n) {
	spinlock_t *ptl;
	pte_t *start_pte = map(pmd, &ptl);
	if (!start_pte)
		return;
	enter();
	for (; n; n--) {
		if (other(n)) {
			leave();
			drop(ptl);
			start_pte = map(pmd, &ptl);
			if (!start_pte)
				break;
			enter();
		}
	}
	if (start_pte) {
		leave();
		drop(ptl);
	}
}""",
    "null-correlated pointer, tail unguarded (bad)": """
void f(pmd_t *pmd, int n) {
	spinlock_t *ptl;
	pte_t *start_pte = map(pmd, &ptl);
	if (!start_pte)
		return;
	enter();
	for (; n; n--) {
		if (other(n)) {
			leave();
			drop(ptl);
			start_pte = map(pmd, &ptl);
			if (!start_pte)
				break;
			enter();
		}
	}
	leave(); /* bad: LAZY */
	drop(ptl); /* bad: UNLOCK */
}""",
    "null-correlated pointer, leave forgotten (bad)": """
void f(pmd_t *pmd) {
	spinlock_t *ptl;
	pte_t *start_pte = map(pmd, &ptl);
	if (start_pte)
		enter(); /* bad: LAZY */
	if (start_pte)
		drop(ptl);
}""",
    "two locks that may be one": """
void f(spinlock_t *old_ptl, spinlock_t *new_ptl) {
	take(old_ptl);
	if (new_ptl != old_ptl)
		take(new_ptl);
	enter();
	leave();
	if (new_ptl != old_ptl)
		drop(new_ptl);
	drop(old_ptl);
}""",
    "two locks that may be one, written the other way round": """
void f(spinlock_t *old_ptl, spinlock_t *new_ptl) {
	take(old_ptl);
	if (new_ptl != old_ptl)
		take(new_ptl);
	if (!(old_ptl == new_ptl))
		drop(new_ptl);
	drop(old_ptl);
}""",
    "two locks that may be one, second one kept (bad)": """
void f(spinlock_t *old_ptl, spinlock_t *new_ptl) {
	take(old_ptl);
	if (new_ptl != old_ptl)
		take(new_ptl); /* bad: LOCK */
	drop(old_ptl);
}""",
    "two locks that may be one, one branch of the second test forgets (bad)": """
void f(spinlock_t *old_ptl, spinlock_t *new_ptl) {
	take(old_ptl);
	if (new_ptl != old_ptl)
		take(new_ptl); /* bad: LOCK */
	if (new_ptl == old_ptl)
		other(1);
	else
		flush();
	drop(old_ptl);
}""",
    "enumeration in a switch, twice": """
void f(spinlock_t *ptl, int mode) {
	if (mode == MODE_LOCKED)
		take(ptl);
	enter();
	leave();
	switch (mode) {
	case MODE_LOCKED:
		drop(ptl);
		break;
	default:
		break;
	}
}""",
    "enumeration, the other value (bad)": """
void f(spinlock_t *ptl, int mode) {
	if (mode == MODE_LOCKED)
		take(ptl); /* bad: LOCK */
	if (mode == MODE_OTHER)
		drop(ptl); /* bad: UNLOCK */
}""",
    "flag bit tested twice": """
void f(spinlock_t *ptl, unsigned long flags) {
	if (flags & F_SYNC)
		take(ptl);
	if (flags & F_SYNC)
		drop(ptl);
}""",
    "two flag bits (bad)": """
void f(spinlock_t *ptl, unsigned long flags) {
	if (flags & F_SYNC)
		take(ptl); /* bad: LOCK */
	if (flags & F_OTHER)
		drop(ptl); /* bad: UNLOCK */
}""",
    "pure call tested twice": """
void f(spinlock_t *ptl, struct folio *folio) {
	if (pure_huge(folio))
		take(ptl);
	if (pure_huge(folio))
		drop(ptl);
}""",
    "pure call, its argument changed in between (bad)": """
void f(spinlock_t *ptl, struct folio *folio) {
	if (pure_huge(folio))
		take(ptl); /* bad: LOCK */
	folio = next_folio(folio);
	if (pure_huge(folio))
		drop(ptl); /* bad: UNLOCK */
}""",
    "unknown call tested twice (bad)": """
void f(spinlock_t *ptl, struct folio *folio) {
	if (other(folio))
		take(ptl); /* bad: LOCK */
	if (other(folio))
		drop(ptl); /* bad: UNLOCK */
}""",
    "copy of a flag, the original changed after": """
void f(spinlock_t *ptl, int locked) {
	int was = locked;
	if (was)
		take(ptl);
	locked = other(1);
	if (was)
		drop(ptl);
}""",
    "copy of a flag, the original tested after it changed (bad)": """
void f(spinlock_t *ptl, int locked) {
	int was = locked;
	if (was)
		take(ptl); /* bad: LOCK */
	locked = other(1);
	if (locked)
		drop(ptl); /* bad: UNLOCK */
}""",
    "negated copy": """
void f(spinlock_t *ptl, int skip) {
	bool want = !skip;
	if (want)
		take(ptl);
	if (!skip)
		drop(ptl);
}""",
    "negated copy of a field whose name is inside": """
void f(spinlock_t *ptl, struct ctx *c) {
	bool skip = !c->skip;
	if (skip)
		take(ptl);
	if (!c->skip)
		drop(ptl);
}""",
    "outcome of a comparison with zero, stored": """
void f(spinlock_t *ptl, int n) {
	bool zero = (n == 0);
	if (zero)
		take(ptl);
	if (!n)
		drop(ptl);
}""",
    "outcome of a comparison with zero, stored, then the other way round (bad)": """
void f(spinlock_t *ptl, int n) {
	bool zero = (n == 0);
	if (zero)
		take(ptl); /* bad: LOCK */
	if (n)
		drop(ptl); /* bad: UNLOCK */
}""",
    "outcome of a comparison of locks, stored": """
void f(spinlock_t *old_ptl, spinlock_t *new_ptl) {
	bool differ = new_ptl != old_ptl;
	take(old_ptl);
	if (differ)
		take(new_ptl);
	if (new_ptl != old_ptl)
		drop(new_ptl);
	drop(old_ptl);
}""",
    "as true as another is not equal to it (bad)": """
void f(spinlock_t *ptl, int n) {
	int some = (n != 0);
	take(ptl); /* bad: LOCK */
	if (some == n)
		drop(ptl);
}""",
    "an error code is not zero, not positive (bad)": """
void f(spinlock_t *ptl) {
	int err = other(1);
	take(ptl); /* bad: LOCK */
	if (!err || err > 0)
		drop(ptl);
}""",
    "presence decides": """
void f(spinlock_t *ptl, pte_t *pte) {
	pte_t v;
	take(ptl);
	v = read(pte);
	if (present(v)) {
		v = clear(pte);
		flush();
	}
	drop(ptl);
}""",
    "taken out and found absent": """
void f(spinlock_t *ptl, pte_t *pte) {
	pte_t v;
	take(ptl);
	v = clear(pte);
	if (present(v))
		flush();
	drop(ptl);
}""",
    "taken out, present and not flushed (bad)": """
void f(spinlock_t *ptl, pte_t *pte) {
	pte_t v;
	take(ptl);
	v = clear(pte); /* bad: FLUSH */
	if (!present(v))
		flush();
	drop(ptl);
}""",
    "a count of changes": """
void f(spinlock_t *ptl, pte_t *pte, int n) {
	unsigned long pages = 0;
	take(ptl);
	for (; n; n--, pte++) {
		if (present(read(pte))) {
			clear(pte);
			pages++;
		}
	}
	if (pages)
		flush();
	drop(ptl);
}""",
    "a count greater than nothing": """
void f(spinlock_t *ptl, pte_t *pte, int n) {
	unsigned long pages = 0;
	take(ptl);
	for (; n; n--, pte++) {
		clear(pte);
		pages += 1;
	}
	if (pages > 0)
		flush();
	drop(ptl);
}""",
    "a count at least one": """
void f(spinlock_t *ptl, pte_t *pte, int n) {
	unsigned long pages = 0;
	take(ptl);
	for (; n; n--, pte++) {
		clear(pte);
		pages++;
	}
	if (pages >= 1)
		flush();
	drop(ptl);
}""",
    "an early way out (bad)": """
int f(spinlock_t *ptl, int n) {
	take(ptl); /* bad: LOCK */
	if (n)
		return -EINVAL;
	drop(ptl);
	return 0;
}""",
    "conjunction repeated": """
void f(spinlock_t *ptl, int a, int b) {
	if (a && b)
		take(ptl);
	if (a && b)
		drop(ptl);
}""",
    "conjunction, then one of both (bad)": """
void f(spinlock_t *ptl, int a, int b) {
	if (a && b)
		take(ptl);
	if (a)
		drop(ptl); /* bad: UNLOCK */
}""",
    "conditional operator": """
void f(spinlock_t *ptl, int n) {
	spinlock_t *held = n ? ptl : NULL;
	if (held)
		take(ptl);
	if (n)
		leave_alone(n);
	if (held)
		drop(ptl);
}""",
}

LOCKS = {
    "lock in a field": """
void f(struct vm_fault *vmf) {
	vmf->pte = map(vmf->pmd, &vmf->ptl);
	if (!vmf->pte)
		return;
	drop(vmf->ptl);
}""",
    "lock in a field, kept on one way (bad)": """
int f(struct vm_fault *vmf) {
	vmf->pte = map(vmf->pmd, &vmf->ptl); /* bad: LOCK */
	if (!vmf->pte)
		return 0;
	if (other(vmf))
		return 1;
	drop(vmf->ptl);
	return 0;
}""",
    "lock in a field, through a helper": """
static bool grab(struct vm_fault *vmf) {
	vmf->pte = map(vmf->pmd, &vmf->ptl);
	return vmf->pte != NULL;
}
void f(struct vm_fault *vmf) {
	if (!grab(vmf))
		return;
	drop(vmf->ptl);
}""",
    "caller that only calls helpers": """
static void grab(spinlock_t *ptl) { take(ptl); }
static void release(spinlock_t *ptl) { drop(ptl); }
void f(spinlock_t *ptl) { grab(ptl); release(ptl); }""",
    "lock in a field of a local struct, through helpers": """
static int grab(struct walk *w) {
	w->ptl = name_of_lock(w->mm);
	spin_lock(w->ptl);
	return 1;
}
static void release(struct walk *w) { spin_unlock(w->ptl); }
void f(struct mm_struct *mm) {
	struct walk w = { .mm = mm };
	grab(&w);
	flush();
	release(&w);
}""",
    "lock in a field of a local struct, never released (bad)": """
static int grab(struct walk *w) {
	w->ptl = name_of_lock(w->mm);
	spin_lock(w->ptl); /* bad: LOCK */
	return 1;
}
void f(struct mm_struct *mm) {
	struct walk w = { .mm = mm };
	grab(&w);
	flush();
}""",
    "lock through an out-parameter": """
static pte_t *grab(pmd_t *pmd, spinlock_t **ptlp) {
	pte_t *pte = map(pmd, ptlp);
	return pte;
}
void f(pmd_t *pmd) {
	spinlock_t *ptl;
	pte_t *pte = grab(pmd, &ptl);
	if (!pte)
		return;
	drop(ptl);
}""",
    "lock through an out-parameter, with a local in between": """
static pte_t *grab(pmd_t *pmd, spinlock_t **ptlp) {
	spinlock_t *ptl;
	pte_t *pte = map(pmd, &ptl);
	if (pte)
		*ptlp = ptl;
	return pte;
}
void f(pmd_t *pmd) {
	spinlock_t *ptl;
	pte_t *pte = grab(pmd, &ptl);
	if (!pte)
		return;
	drop(ptl);
}""",
    "lock through an out-parameter, found by name": """
static int grab(struct mm_struct *mm, spinlock_t **ptlp) {
	spinlock_t *ptl = name_of_lock(mm);
	spin_lock(ptl);
	if (other(mm)) {
		spin_unlock(ptl);
		return -EAGAIN;
	}
	*ptlp = ptl;
	return 0;
}
int f(struct mm_struct *mm) {
	spinlock_t *ptl;
	int err = grab(mm, &ptl);
	if (err)
		return err;
	spin_unlock(ptl);
	return 0;
}""",
    "lock through two out-parameters in a row": """
static pte_t *inner(pmd_t *pmd, spinlock_t **ptlp) { return map(pmd, ptlp); }
static pte_t *outer(pmd_t *pmd, spinlock_t **ptlp) { return inner(pmd, ptlp); }
void f(pmd_t *pmd) {
	spinlock_t *ptl;
	pte_t *pte = outer(pmd, &ptl);
	if (pte)
		drop(ptl);
}""",
    "out-parameter lock dropped on the wrong outcome (bad)": """
static pte_t *grab(pmd_t *pmd, spinlock_t **ptlp) { return map(pmd, ptlp); /* bad: LOCK */ }
void f(pmd_t *pmd) {
	spinlock_t *ptl;
	pte_t *pte = grab(pmd, &ptl);
	if (!pte)
		drop(ptl); /* bad: UNLOCK */
}""",
    "returned lock": """
static spinlock_t *grab(pmd_t *pmd) {
	spinlock_t *ptl = name_of_lock(pmd);
	spin_lock(ptl);
	if (other(pmd))
		return ptl;
	spin_unlock(ptl);
	return NULL;
}
void f(pmd_t *pmd) {
	spinlock_t *ptl = grab(pmd);
	if (ptl) {
		enter();
		leave();
		spin_unlock(ptl);
	}
}""",
    "returned lock, kept on one way (bad)": """
static spinlock_t *grab(pmd_t *pmd) {
	spinlock_t *ptl = name_of_lock(pmd);
	spin_lock(ptl); /* bad: LOCK */
	return ptl;
}
int f(pmd_t *pmd) {
	spinlock_t *ptl = grab(pmd);
	if (other(pmd))
		return 1;
	spin_unlock(ptl);
	return 0;
}""",
    "returned lock, straight from the API": """
static spinlock_t *grab(pmd_t *pmd) { return huge_lock(pmd); }
void f(pmd_t *pmd) {
	spinlock_t *ptl = grab(pmd);
	if (!ptl)
		return;
	spin_unlock(ptl);
}""",
    "trylock": """
void f(spinlock_t *ptl) {
	if (!try_take(ptl))
		return;
	drop(ptl);
}""",
    "trylock, result stored": """
int f(spinlock_t *ptl) {
	int got = try_take(ptl);
	if (got)
		enter();
	if (got) {
		leave();
		drop(ptl);
	}
	return got;
}""",
    "trylock, dropped on failure (bad)": """
void f(spinlock_t *ptl) {
	if (try_take(ptl)) /* bad: LOCK */
		return;
	drop(ptl); /* bad: UNLOCK */
}""",
    "lock dropped and taken again in a callee": """
static void breathe(spinlock_t *ptl) { drop(ptl); other(ptl); take(ptl); }
void f(spinlock_t *ptl) { take(ptl); breathe(ptl); drop(ptl); }""",
    "lock of the caller dropped while lazy in a callee (bad)": """
static void breathe(spinlock_t *ptl) { drop(ptl); take(ptl); }
void f(spinlock_t *ptl) {
	take(ptl);
	enter(); /* bad: LAZY */
	breathe(ptl);
	leave();
	drop(ptl);
}""",
    "other spinlocks are none of our business": """
void f(struct mm_struct *mm, spinlock_t *ptl) { spin_lock(&mm->arg_lock); take(ptl); drop(ptl); }""",
    "page table lock by its name (bad)": """
void f(struct mm_struct *mm) { take(&mm->page_table_lock); /* bad: LOCK */ }""",
    "lock renamed": """
void f(spinlock_t *ptl) {
	spinlock_t *same = ptl;
	take(ptl);
	drop(same);
}""",
    "locks swapped (bad)": """
void f(spinlock_t *ptl, spinlock_t *other_ptl) {
	take(ptl); /* bad: LOCK */
	drop(other_ptl);
}""",
}

CALLS = {
    "boolean through an out-parameter": """
static void zap(pte_t *pte, bool *force) { clear(pte); *force = true; }
void f(spinlock_t *ptl, pte_t *pte, int n) {
	bool force = false;
	take(ptl);
	for (; n; n--, pte++)
		if (other(n))
			zap(pte, &force);
	if (force)
		flush();
	drop(ptl);
}""",
    "boolean through an out-parameter, set on one way only (bad)": """
static void zap(pte_t *pte, bool *force) {
	clear(pte); /* bad: FLUSH */
	if (other(pte))
		*force = true;
}
void f(spinlock_t *ptl, pte_t *pte) {
	bool force = false;
	take(ptl);
	zap(pte, &force);
	if (force)
		flush();
	drop(ptl);
}""",
    "boolean through two helpers": """
static void inner(pte_t *pte, bool *force) { clear(pte); *force = true; }
static void outer(pte_t *pte, bool *force) { inner(pte, force); }
void f(spinlock_t *ptl, pte_t *pte, int n) {
	bool force = false;
	take(ptl);
	if (n)
		outer(pte, &force);
	if (force)
		flush();
	drop(ptl);
}""",
    "out-parameter that is a field": """
static void zap(pte_t *pte, bool *force) { clear(pte); *force = true; }
void f(spinlock_t *ptl, pte_t *pte, int n, struct details *d) {
	d->force = false;
	take(ptl);
	if (n)
		zap(pte, &d->force);
	if (d->force)
		flush();
	drop(ptl);
}""",
    "returned boolean": """
static bool zap(pte_t *pte, int n) {
	if (!n)
		return false;
	clear(pte);
	return true;
}
void f(spinlock_t *ptl, pte_t *pte, int n) {
	take(ptl);
	if (zap(pte, n))
		flush();
	drop(ptl);
}""",
    "returned boolean, the wrong way round (bad)": """
static bool zap(pte_t *pte, int n) {
	if (!n)
		return false;
	clear(pte); /* bad: FLUSH */
	return true;
}
void f(spinlock_t *ptl, pte_t *pte, int n) {
	take(ptl);
	if (!zap(pte, n))
		flush();
	drop(ptl);
}""",
    "returned enumeration": """
static enum result zap(spinlock_t *ptl, int n) {
	if (n)
		return RESULT_FAIL;
	take(ptl);
	return RESULT_OK;
}
void f(spinlock_t *ptl, int n) {
	if (zap(ptl, n) == RESULT_OK)
		drop(ptl);
}""",
    "constant argument": """
static void zap(spinlock_t *ptl, bool locked) {
	if (!locked)
		take(ptl);
	enter();
	leave();
	if (!locked)
		drop(ptl);
}
void f(spinlock_t *ptl) { take(ptl); zap(ptl, true); drop(ptl); }
void g(spinlock_t *ptl) { zap(ptl, false); }""",
    "constant argument that says who unlocks": """
static void zap(spinlock_t *ptl, bool unlock) { if (unlock) drop(ptl); }
void f(spinlock_t *ptl) { take(ptl); zap(ptl, true); }
void g(spinlock_t *ptl) { take(ptl); zap(ptl, false); drop(ptl); }""",
    "constant argument that says who unlocks, not meant (bad)": """
static void zap(spinlock_t *ptl, bool unlock) { if (unlock) drop(ptl); }
void f(spinlock_t *ptl) {
	take(ptl); /* bad: LOCK */
	zap(ptl, false);
}""",
    "value cleared in a helper": """
static pte_t zap(pte_t *pte) { pte_t v = clear(pte); flush(); return v; }
void f(spinlock_t *ptl, pte_t *pte, struct page *page) {
	pte_t v;
	take(ptl);
	v = zap(pte);
	if (dirty(v))
		mark(page);
	drop(ptl);
}""",
    "value cleared in a helper, dirty bit lost (bad)": """
static pte_t zap(pte_t *pte) { pte_t v = clear(pte); flush(); return v; }
void f(spinlock_t *ptl, pte_t *pte, struct page *page) {
	pte_t v;
	take(ptl);
	v = zap(pte);
	if (dirty(v)) /* bad: DIRTY */
		other(page);
	drop(ptl);
}""",
    "dirty bit handed to a helper": """
static void account(pte_t v, struct page *page) { if (dirty(v)) mark(page); }
void f(spinlock_t *ptl, pte_t *pte, struct page *page) {
	pte_t v;
	take(ptl);
	v = clear(pte);
	flush();
	account(v, page);
	drop(ptl);
}""",
    "presence known to the caller": """
static void zap(pte_t *pte, pte_t v) { if (present(v)) flush(); }
void f(spinlock_t *ptl, pte_t *pte) {
	pte_t v;
	take(ptl);
	v = clear(pte);
	zap(pte, v);
	drop(ptl);
}""",
    "flush in a helper": """
static void finish(int n) { if (n) other(n); flush(); }
void f(spinlock_t *ptl, pte_t *pte, int n) { take(ptl); clear(pte); finish(n); drop(ptl); }""",
    "flush in a helper on one way only (bad)": """
static void finish(int n) { if (n) flush(); }
void f(spinlock_t *ptl, pte_t *pte, int n) {
	take(ptl);
	clear(pte); /* bad: FLUSH */
	finish(n);
	drop(ptl);
}""",
    "lazy mode left in a helper": """
static void finish(spinlock_t *ptl) { leave(); drop(ptl); }
void f(spinlock_t *ptl) { take(ptl); enter(); finish(ptl); }""",
    "lazy mode entered in a helper": """
static void begin(spinlock_t *ptl) { take(ptl); enter(); }
void f(spinlock_t *ptl) { begin(ptl); leave(); drop(ptl); }""",
    "lazy mode entered in a helper and not left (bad)": """
static void begin(spinlock_t *ptl) {
	take(ptl);
	enter(); /* bad: LAZY */
}
void f(spinlock_t *ptl) {
	begin(ptl);
	drop(ptl);
}""",
    "helper in a condition": """
static int begin(spinlock_t *ptl) { return try_take(ptl); }
void f(spinlock_t *ptl) { while (begin(ptl)) drop(ptl); }""",
    "callee changes what its pointer argument points to": """
static void settle(struct ctx *c) { c->locked = 0; }
void f(spinlock_t *ptl, struct ctx *c) {
	take(ptl);
	settle(c);
	if (!c->locked)
		drop(ptl);
}""",
    "unknown callee may change the fields of what it is given (bad)": """
void f(spinlock_t *ptl, struct ctx *c, int n) {
	c->locked = 0;
	if (n) {
		take(ptl); /* bad: LOCK */
		c->locked = 1;
	}
	other(c);
	if (c->locked)
		drop(ptl); /* bad: UNLOCK */
}""",
    "unknown callee may change what it is given (bad)": """
void f(spinlock_t *ptl, int n) {
	int locked = 0;
	if (n) {
		take(ptl); /* bad: LOCK */
		locked = 1;
	}
	other(&locked);
	if (locked)
		drop(ptl); /* bad: UNLOCK */
}""",
    "helper of a helper sees the same lock": """
static void inner(spinlock_t *ptl) { drop(ptl); }
static void middle(spinlock_t *its_ptl) { inner(its_ptl); }
void f(spinlock_t *my_ptl) { take(my_ptl); middle(my_ptl); }""",
    "helper with a namesake parameter": """
static void helper(spinlock_t *a_ptl, spinlock_t *b_ptl) { drop(b_ptl); drop(a_ptl); }
void f(spinlock_t *a_ptl, spinlock_t *b_ptl) { take(a_ptl); take(b_ptl); helper(b_ptl, a_ptl); }""",
    "helper with a namesake parameter, one lock twice (bad)": """
static void helper(spinlock_t *a_ptl, spinlock_t *b_ptl) { drop(b_ptl); }
void f(spinlock_t *a_ptl, spinlock_t *b_ptl) {
	take(a_ptl);
	take(b_ptl); /* bad: LOCK */
	helper(b_ptl, a_ptl);
}""",
    "recursion": """
static void walk(spinlock_t *ptl, pte_t *pte, int n) {
	take(ptl);
	clear(pte);
	flush();
	drop(ptl);
	if (n)
		walk(ptl, pte, n - 1);
}
void f(spinlock_t *ptl, pte_t *pte) { walk(ptl, pte, 3); }""",
    "recursion with a defect (bad)": """
static void walk(spinlock_t *ptl, pte_t *pte, int n) {
	take(ptl);
	clear(pte); /* bad: FLUSH */
	drop(ptl);
	if (n)
		walk(ptl, pte, n - 1);
}
void f(spinlock_t *ptl, pte_t *pte) { walk(ptl, pte, 3); }""",
    "mutual recursion nobody calls from outside (bad)": """
static void a(spinlock_t *ptl, int n) { if (n) b(ptl, n - 1); }
static void b(spinlock_t *ptl, int n) {
	take(ptl); /* bad: LOCK */
	a(ptl, n);
}""",
    "callback, entered with the walker's lock": """
static int entry(pte_t *pte, unsigned long addr, struct mm_walk *walk) {
	complete_batch();
	clear(pte);
	flush();
	return 0;
}
static const struct walk_ops table = { .entry = entry };""",
    "callback, entered with the walker's lock (bad)": """
static int entry(pte_t *pte, unsigned long addr, struct mm_walk *walk) { /* bad: BATCH */
	clear(pte); /* bad: FLUSH */
	return 0;
}
static const struct walk_ops table = { .entry = entry };""",
}

FLOW = {
    "loop made of goto": """
void f(pmd_t *pmd, int n) {
	spinlock_t *ptl;
	pte_t *pte;
again:
	pte = map(pmd, &ptl);
	if (!pte)
		return;
	enter();
	n--;
	leave();
	drop(ptl);
	if (n)
		goto again;
}""",
    "loop made of goto, into the locked part (bad)": """
void f(spinlock_t *ptl, int n) {
again:
	take(ptl);
	enter(); /* bad: LAZY */
	n--;
	if (n)
		goto again;
	leave();
	drop(ptl);
}""",
    "restart with a flag": """
void f(spinlock_t *ptl, int n) {
	int locked = 0;
restart:
	if (!locked) {
		take(ptl);
		locked = 1;
	}
	if (other(n)) {
		drop(ptl);
		locked = 0;
		goto restart;
	}
	drop(ptl);
}""",
    "cleanup labels": """
int f(spinlock_t *ptl, int n) {
	int err = 0;
	take(ptl);
	if (other(n)) {
		err = -EINVAL;
		goto out_unlock;
	}
	enter();
	if (other(n)) {
		err = -EAGAIN;
		goto out_leave;
	}
out_leave:
	leave();
out_unlock:
	drop(ptl);
	return err;
}""",
    "cleanup labels, the wrong one (bad)": """
int f(spinlock_t *ptl, int n) {
	take(ptl);
	if (other(n))
		goto out_leave;
	enter();
out_leave:
	leave(); /* bad: LAZY */
	drop(ptl);
	return 0;
}""",
    "do while": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, unsigned long end) {
	take(ptl);
	enter();
	do {
		clear(pte);
	} while (pte++, addr += PAGE_SIZE, addr != end);
	leave();
	flush();
	drop(ptl);
}""",
    "continue past the flush (bad)": """
void f(spinlock_t *ptl, pte_t *pte, int n) {
	take(ptl);
	for (; n; n--, pte++) {
		clear(pte); /* bad: FLUSH */
		if (other(n))
			continue;
		flush();
	}
	drop(ptl);
}""",
    "break out of a switch in a loop": """
void f(spinlock_t *ptl, int n) {
	take(ptl);
	for (; n; n--) {
		switch (n) {
		case 1:
			enter();
			leave();
			break;
		default:
			break;
		}
	}
	drop(ptl);
}""",
    "address moved on": """
void f(spinlock_t *ptl, pte_t *pte, unsigned long addr, unsigned long end) {
	unsigned long start = addr;
	take(ptl);
	for (; addr < end; addr += PAGE_SIZE, pte++)
		clear(pte);
	if (addr > start)
		flush();
	drop(ptl);
}""",
    "statement that does not return": """
void f(spinlock_t *ptl, int n) {
	take(ptl);
	BUG_ON(n);
	if (n)
		enter();
	drop(ptl);
}""",
    "code behind a return": """
void f(spinlock_t *ptl) {
	take(ptl);
	drop(ptl);
	return;
	enter();
}""",
    "two entries in a row (bad)": """
void f(spinlock_t *ptl, pte_t *a, pte_t *b) {
	take(ptl);
	clear(a);
	flush();
	clear(b); /* bad: FLUSH */
	drop(ptl);
}""",
    "old findings do not echo (bad)": """
void f(spinlock_t *ptl, pte_t *a) {
	take(ptl);
	clear(a); /* bad: FLUSH */
	drop(ptl);
	take(ptl);
	drop(ptl);
	flush();
}""",
}

GROUPS = {"guards": GUARDS, "locks": LOCKS, "calls": CALLS, "flow": FLOW, "words": WORDS, "wanted": WANTED}
ALL = {f"{group}: {title}": source for group, cases in GROUPS.items() for title, source in cases.items()}
