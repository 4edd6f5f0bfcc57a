# SPDX-License-Identifier: MIT
"""What is broken in src/ and in the machine's port, and where that is seen.

A row: the mutant's name, the file, the function or macro, what is replaced in
it, what takes its place, the scenario with the machine that it runs on (see
tests/mutants/main.c), and the invariant that must be named.

What is replaced is there exactly once in the function.  White space does not
matter.  "..." stands for any text, as little as possible; in what takes its
place it stands for that text again.
"""

ROWS = []


def mutant(name, file, function, old, new, run, invariant):
    ROWS.append((name, file, function, old, new, run, invariant))


def weaken(name, file, function, old, new, run, invariant):
    """A memory order: only --memory ra sees it."""
    mutant(name, file, function, old, new, run + " ra=1", invariant)


# Reclaim: mark, clean, claim, free, clear, flush.

mutant("claim before clean", "src/reclaim.c", "tear_down",
       "clean_lines(w, s); freed = claim_marked(w, s);",
       "freed = claim_marked(w, s); clean_lines(w, s);",
       "nmi", "I8")
mutant("lines not cleaned", "src/reclaim.c", "tear_down",
       "clean_lines(w, s);", "",
       "rfc", "I1")
mutant("lines of the first slot cleaned only", "src/reclaim.c", "clean_run",
       "(size_t)r.count", "(size_t)1",
       "reclaim-pin batch=2", "I1")
mutant("whole cache not cleaned", "src/reclaim.c", "clean_lines",
       "w->ops->cache_clean_inval_all(w->port);", "",
       "rfc whole=1", "I1")
mutant("claim accepts one that was used", "src/reclaim.c", "claim_marked",
       "if (!(... || !claim(word))",
       "uint32_t old = pkmap_a32_load_relaxed(word) & WORD_FLAGS;"
       "if (!(old & (WORD_CLEANING | WORD_REFERENCED)) ||"
       " !pkmap_a32_cas_release(word, &old, 0))",
       "rfc", "I1")
mutant("claim accepts one in use", "src/reclaim.c", "claim_marked",
       "if (!(... || !claim(word))",
       "uint32_t old = pkmap_a32_load_relaxed(word);"
       "if (!(old & WORD_MAPPED) ||"
       " !pkmap_a32_cas_release(word, &old, 0))",
       "nmi", "I1")
mutant("a slot in use is marked", "src/reclaim.c", "mark_if_unused",
       "if ((old ... return false;",
       "if (!(old & WORD_MAPPED) || old & WORD_CLEANING) return false;"
       "return pkmap_a32_cas_acquire(word, &old,"
       " (old | WORD_CLEANING) & ~WORD_REFERENCED);",
       "full-window", "I1")
mutant("mark keeps REFERENCED", "src/reclaim.c", "mark",
       "WORD_MAPPED | WORD_CLEANING", "old | WORD_CLEANING",
       "local-alias", "I9")
mutant("last slot marked is not claimed", "src/reclaim.c", "claim_marked",
       "k = s.count; k;", "k = s.count; k > 1;",
       "rfc", "I7")
mutant("claimed slot left in the index", "src/reclaim.c", "claim_marked",
       "pkmap_index_remove(w, slot);", "",
       "rfc", "I7")
mutant("translations not cleared", "src/reclaim.c", "clear_run",
       "w->ops->clear(...);", ";",
       "two-pages", "I4")
mutant("one translation of a run cleared", "src/reclaim.c", "clear_run",
       ", r.count);", ", 1);",
       "flush", "I4")
mutant("TLBs not flushed", "src/reclaim.c", "flush_tlb",
       "w->ops->flush_tlb(w->port ... false);", "",
       "rfc", "I4")
mutant("TLB of this CPU flushed only", "src/reclaim.c", "flush_tlb",
       "false);", "true);",
       "rfc cache=vipt cpus=2 ipi=1", "I4")
mutant("TLBs flushed for all slots but the last", "src/reclaim.c", "flush_tlb",
       "(end - first)", "(end - first - 1)",
       "rfc", "I4")
mutant("TLBs flushed before the clear", "src/reclaim.c", "claim_marked",
       "clear_run(w, r); claimed += r.count; if (claimed) flush_tlb(...);",
       "claimed += r.count; if (claimed) flush_tlb(...); clear_run(w, r);",
       "prefetch cache=vipt", "I4")
mutant("last run not cleared", "src/reclaim.c", "claim_marked",
       "clear_run(w, r); claimed += r.count; if (claimed)",
       "claimed += r.count; if (claimed)",
       "rfc", "I4")
mutant("freed slot keeps its page number", "src/reclaim.c", "push_free",
       "pkmap_along_store_release(&w->pfn[slot], PKMAP_NO_PFN);", "",
       "flush", "I9")
mutant("freed slot is on no stack", "src/reclaim.c", "push_free",
       "*free = slot;", "",
       "two-pages", "I7")
mutant("flush without the lock", "src/reclaim.c", "pkmap_flush_unused",
       "pkmap_lock(w, NULL); freed = ...; ... pkmap_unlock(w);",
       "freed = ...;",
       "flush", "I3")

# The word: get and put.

mutant("CLEANING kept by a get", "src/window.c", "mark_used",
       "(old | WORD_REFERENCED) & ~WORD_CLEANING", "old | WORD_REFERENCED",
       "rfc", "I9")
mutant("get leaves the word as it is", "src/window.c", "pkmap_finish_get",
       "else if (!word_plain(old)) mark_used(slot_word(w, slot));", "",
       "rfc", "I9")
mutant("get of a slot that is not mapped", "src/window.c", "pkmap_finish_get",
       "if (!(old & WORD_MAPPED)) return false;", "",
       "rfc", "I10")
mutant("second look left out, fast path", "src/window_priv.h", "get_fast",
       "&& pkmap_along_load_relaxed(&w->pfn[*slot]) == pfn", "",
       "second-look", "I3")
mutant("second look left out, slow path", "src/window.c", "pkmap_get",
       "pkmap_along_load_relaxed(&w->pfn[slot]) == pfn",
       "slot != PKMAP_NO_SLOT",
       "rfc", "I1")
mutant("wrong slot kept after the second look", "src/window.c", "pkmap_get",
       "pkmap_put(w, slot);", "",
       "rfc", "I9")
mutant("rest of a get keeps the first", "src/window.c", "pkmap_get_slow",
       "pkmap_put(w, slot);", ";",
       "rfc", "I9")
mutant("get finds a slot without looking at MAPPED", "src/window_priv.h",
       "word_plain",
       "return ...;", "return !(word & (WORD_SATURATED | WORD_CLEANING));",
       "rfc", "I10")
mutant("put by load and store", "src/window_priv.h", "word_take_user",
       "*old = ...;",
       "*old = pkmap_a32_load_relaxed(word);"
       "pkmap_a32_store_release(word, *old - WORD_USER);",
       "rfc", "I9")
mutant("put wakes nobody", "src/window.c", "pkmap_unmap",
       "wake_if_waiting(w, (uint32_t)slot, old);", "",
       "full-window", "I9")
mutant("pin's own put wakes nobody", "src/window.c", "pkmap_put",
       "wake_if_waiting(w, slot, old);", ";",
       "stray", "I9")
mutant("put wakes before it takes its user off", "src/window.c", "pkmap_unmap",
       "if (... wake_if_waiting(w, (uint32_t)slot, old);",
       "if (slot < w->nslots) wake_if_waiting(w, (uint32_t)slot,"
       " pkmap_a32_load_relaxed(slot_word(w, slot))); if (...",
       "full-window", "I9")
mutant("put looks for waiters first", "src/window.c", "pkmap_unmap",
       "uint32_t old = 0; ... wake_if_waiting(",
       "const bool waiters = pkmap_a32_load_seq_cst(&w->waiters);"
       "uint32_t old = 0; ... if (waiters) wake_if_waiting(",
       "two-pages", "I9")

# Misuse.

mutant("unmap of an idle slot accepted", "src/window_priv.h", "word_take_user",
       "word_has_user(*old)", "*old & WORD_MAPPED",
       "misuse", "I10")
mutant("unmap of a free slot accepted", "src/window_priv.h", "word_take_user",
       "word_has_user(*old)",
       "word_has_user(*old) || !(*old & WORD_MAPPED)",
       "misuse", "I10")
mutant("excess unmap not made up for", "src/window.c", "undo_put",
       "restore_user(w, slot);", ";",
       "excess", "I9")
mutant("excess unmap made up for twice", "src/window.c", "restore_user",
       "if (!word_below_idle(old)) return;", "",
       "excess", "I10")
mutant("excess unmap keeps CLEANING", "src/window.c", "restore_user",
       "& ~WORD_CLEANING", "",
       "excess", "I9")
mutant("excess unmap wakes nobody", "src/window.c", "restore_user",
       "wake_if_waiting(w, slot, 0);", "",
       "excess-forget cpus=2 cache=vipt", "I9")
mutant("excess unmap looks for waiters first", "src/window.c", "restore_user",
       "uint32_t old = ...; ... wake_if_waiting(",
       "const bool waiters = pkmap_a32_load_seq_cst(&w->waiters);"
       "uint32_t old = ...; ... if (waiters) wake_if_waiting(",
       "excess-forget cpus=2 cache=vipt", "I9")
mutant("get below idle adds no user of its own", "src/window.c",
       "pkmap_finish_get",
       "while (unlikely(word_below_idle(old)))", "while (0)",
       "excess", "I10")
mutant("get that was below idle wakes nobody", "src/window.c", "get_again",
       "wake_if_waiting(w, slot, 0);", "",
       "excess-forget cpus=2 cache=vipt", "I9")

# The index.

mutant("end marker unchecked", "src/window_priv.h", "index_walk",
       "WALK_AGAIN", "PKMAP_NO_SLOT",
       "recycle", "I8")
mutant("head stored before next", "src/index.c", "pkmap_index_insert",
       "pkmap_a32_store_release(...); pkmap_a32_store_release(head, slot);",
       "const uint32_t first = pkmap_a32_load_relaxed(head);"
       "pkmap_a32_store_release(head, slot);"
       "pkmap_a32_store_release(&w->next[slot], first);",
       "dma-irq", "I6")
mutant("inserted behind the first", "src/index.c", "pkmap_index_insert",
       "pkmap_a32_store_release(&w->next",
       "const uint32_t first = pkmap_a32_load_relaxed(head);"
       "if (!(first & LINK_END)) head = &w->next[first];"
       "pkmap_a32_store_release(&w->next",
       "recycle", "I8")
mutant("insert loses the chain", "src/index.c", "pkmap_index_insert",
       "pkmap_a32_load_relaxed(head)", "LINK_END | (uint32_t)(head - w->head)",
       "rfc", "I1")
mutant("remove loses the chain", "src/index.c", "pkmap_index_remove",
       "(link, pkmap_a32_load_relaxed(&w->next[slot]))",
       "(link, LINK_END | (uint32_t)pfn_bucket(w, pfn))",
       "reclaim-pin", "I8")
mutant("removed slot loses its link", "src/index.c", "pkmap_index_remove",
       "(link, pkmap_a32_load_relaxed(&w->next[slot]));",
       "(link, pkmap_a32_load_relaxed(&w->next[slot]));"
       "pkmap_a32_store_release(&w->next[slot],"
       " LINK_END | (uint32_t)pfn_bucket(w, pfn));",
       "recycle", "I8")
mutant("free slots end as bucket 0 does", "src/window_priv.h", "LINK_END_FREE",
       "UINT32_MAX", "LINK_END",
       "recycle", "I8")

# Map.

mutant("got before it is in the index", "src/map.c", "install",
       "pkmap_index_insert(w, head, slot); pkmap_a32_store_release(...);",
       "pkmap_a32_store_release(...); pkmap_index_insert(w, head, slot);",
       "remap", "I8")
mutant("usable before the translation is set", "src/map.c", "install",
       "err = ... if (err) {... return err; } ... return 0;",
       "pkmap_index_insert(w, head, slot);"
       "pkmap_a32_store_release(slot_word(w, slot), WORD_MAPPED | WORD_USER);"
       "err = ... if (err) return err; return 0;",
       "remap", "I3")
mutant("word added to, not stored", "src/map.c", "install",
       "pkmap_a32_store_release", "pkmap_a32_add_release",
       "rfc", "I9")
mutant("installed without a user", "src/map.c", "install",
       "WORD_MAPPED | WORD_USER", "WORD_MAPPED",
       "rfc", "I10")
mutant("not looked up again under the lock", "src/map.c", "take_page",
       "pkmap_index_find(w, head, pfn)",
       "w->nslots > 64 ? pkmap_index_find(w, head, pfn) : PKMAP_NO_SLOT",
       "same-page", "I7")
mutant("nothing reclaimed", "src/map.c", "take_slot",
       "&& pkmap_reclaim(w, colour)", "&& false",
       "rfc", "I7")
mutant("several: refused", "src/map.c", "map_under_lock",
       "int err = check_request",
       "int err = n > 1 ? PKMAP_EAGAIN : check_request",
       "two-pages", "I10")
mutant("waits for no slot", "src/map.c", "prepare_retry",
       "if (wait && wait->flags & PKMAP_WAIT_NEVER)", "if (wait)",
       "deadline", "I10")
mutant("several: keeps what it has taken", "src/map.c", "take_pages",
       "put_pages(w, pfns, k);", "",
       "flush", "I9")
mutant("several: keeps what it has pinned", "src/map.c", "pkmap_map_pages",
       "put_pages(w, pfns, k);", "",
       "nested", "I9")
mutant("several: a page asked for twice counts twice", "src/map.c",
       "slots_needed",
       "&& !contains(pfns, k, pfns[k])", "",
       "same-page", "I9")

# The machine's port, on caches that promise less.

mutant("port has a run cleaned by one call", "machine/model/port.c",
       "port_clean_inval",
       "for (...) cache_clean_inval_range(page, page_bytes());",
       "cache_clean_inval_range(page, bytes);",
       "flush-run cache=vivt-page", "I2")
mutant("port has lines cleaned and dropped in steps", "machine/model/port.c",
       "port_cache",
       "cache.whole_bytes = 1;", "cache.whole_bytes = 0;",
       "flush-run cache=vivt-steps", "I1")

# Waiting.

mutant("wakes one of those who wait", "machine/model/port.c", "port_wake",
       "log_event(...);", "break;",
       "wake-all", "I9")
mutant("event not changed", "src/window.c", "pkmap_wake",
       "pkmap_a32_add_release(&colour->event, 1);", "",
       "full-window", "I9")
mutant("event changed, nobody woken", "src/window.c", "pkmap_wake",
       "w->ops->wake(w->port, &colour->event);", "",
       "full-window", "I9")
mutant("woken before the event changes", "src/window.c", "pkmap_wake",
       "pkmap_a32_add_release(...); w->ops->wake(...);",
       "w->ops->wake(w->port, &colour->event);"
       "pkmap_a32_add_release(&colour->event, 1);",
       "full-window", "I9")
mutant("woken on the event of another colour", "src/window.c", "wake_if_idle",
       "slot_colour(w, slot)", "slot_colour(w, slot ^ 1)",
       "full-window cache=aliasing", "I9")
mutant("waiter not announced", "src/map.c", "pkmap_announce_waiter",
       "pkmap_a32_add_seq_cst(&w->waiters, 1);", "",
       "full-window", "I9")
mutant("waiter announced after its last look", "src/map.c", "wait_for_slots",
       "seen = ...; if (exhausted_colour(w, pfns, n) == c)",
       "const bool lacks = exhausted_colour(w, pfns, n) == c;"
       "seen = ...; if (lacks)",
       "full-window", "I9")
mutant("no last look", "src/map.c", "wait_for_slots",
       "if (exhausted_colour(w, pfns, n) == c)", "if (c != NO_COLOUR)",
       "full-window", "I9")
mutant("last look after the lock is dropped", "src/map.c", "pkmap_sleep",
       "pkmap_unlock(w);",
       "pkmap_unlock(w); seen = pkmap_a32_load_acquire(&colour->event);",
       "full-window", "I9")
mutant("event read after the last look", "src/map.c", "pkmap_sleep",
       "count(&w->waits);",
       "seen = pkmap_a32_load_acquire(&colour->event); count(&w->waits);",
       "full-window", "I9")
mutant("lock kept while waiting", "src/map.c", "pkmap_sleep",
       "pkmap_unlock(w); err = ...; pkmap_lock(w, NULL);", "err = ...;",
       "nested", "I7")
mutant("waiter stays announced", "src/map.c", "wait_for_slots",
       "pkmap_a32_sub_seq_cst(&w->waiters, 1);", "",
       "full-window", "I9")
mutant("free slots not counted", "src/map.c", "has_usable_slots",
       "pfn == PKMAP_NO_PFN ||", "",
       "flush", "I9")
mutant("idle slots not counted", "src/map.c", "has_usable_slots",
       "|| word_idle(pkmap_a32_load_relaxed(slot_word(w, slot)))", "",
       "rfc", "I9")
mutant("pages that are mapped not counted", "src/map.c", "has_usable_slots",
       "contains(pfns, n, pfn)", "(n > 64 && contains(pfns, n, pfn))",
       "same-page", "I9")
mutant("deadline not told", "src/map.c", "prepare_retry",
       "a->gave_up = wait_for_slots", "wait_for_slots",
       "deadline", "I7")
mutant("no deadline", "src/map.c", "pkmap_sleep",
       "wait ? wait", "wait && wait->flags ? wait",
       "deadline", "I9")

# Local maps.

mutant("local map does not pin", "src/local.c", "open_local",
       "pkmap_pin(w, pfn)", "NULL",
       "local-alias", "I5")
mutant("local map does not look for an outer one", "src/local.c", "open_local",
       "find_outer(cpu, k, pfn)", "k > 64 ? find_outer(cpu, k, pfn) : NULL",
       "local-alias", "I5")
mutant("borrowed while cleaning, not said", "src/local.c", "find_outer",
       "if (pkmap_a32_load_relaxed(&l->state) == LOCAL_CLEANING) ...;", "",
       "local-alias", "I5")
mutant("one that is being closed is not borrowed", "src/local.c", "find_outer",
       "LOCAL_OPEN, LOCAL_USED", "LOCAL_OPEN, LOCAL_OPEN",
       "local-alias", "I5")
mutant("closed without cleaning", "src/local.c", "close_slot",
       "if (w->cache.kind == PKMAP_CACHE_VIVT) ...;", "",
       "local-alias", "I5")
mutant("cleaned once, whoever used it", "src/local.c", "close_slot",
       "while (!...);",
       "while (0); ...; pkmap_a32_store_relaxed(&l->state, LOCAL_CLEARING);",
       "local-alias", "I5")
mutant("cleaned before it is said", "src/local.c", "close_slot",
       "do {",
       "w->ops->cache_clean_inval(w->port, l->addr,"
       " (size_t)1 << w->page_shift);"
       "pkmap_a32_store_relaxed(&l->state, LOCAL_CLOSED);"
       "clear_local_slot(w, l->addr); return; do {",
       "local-alias", "I5")
mutant("borrower closes the slot", "src/local.c", "open_local",
       "state = LOCAL_BORROWED", "state = LOCAL_OPEN",
       "local-dma", "I3")
mutant("local slot keeps its translation", "src/window_priv.h",
       "clear_local_slot",
       "w->ops->clear(w->port, addr, 1);", "",
       "local-alias", "I4")
mutant("local slot stays in the TLB", "src/window_priv.h", "clear_local_slot",
       "if (w->ops->flush_tlb) ...;", "",
       "local-alias", "I4")
mutant("local map keeps its pin", "src/local.c", "close_local",
       "if (addr_slot(w, l->addr) < w->nslots) pkmap_unmap(w, l->addr);", "",
       "dma-irq", "I9")
mutant("place taken when the map is open", "src/local.c", "pkmap_local_map",
       "pkmap_a32_store_relaxed(&cpu->depth, depth + 1);"
       "pkmap_fence_interrupt(); err = ...;",
       "err = ...; pkmap_a32_store_relaxed(&cpu->depth, depth + 1);",
       "local-alias", "I4")
mutant("place given back before it is closed", "src/local.c",
       "pkmap_local_unmap",
       "close_local(...); pkmap_fence_interrupt(); ...;",
       "pkmap_a32_store_relaxed(&cpu->depth, depth - 1); close_local(...);",
       "local-alias", "I4")
mutant("found before its slot shows the page", "src/local.c", "open_local",
       "err = w->ops->set",
       "pkmap_along_store_relaxed(&l->pfn, pfn);"
       "pkmap_a32_store_relaxed(&l->state, LOCAL_OPEN); err = w->ops->set",
       "local-alias", "I3")
mutant("local slot of the wrong colour", "src/window_priv.h",
       "local_slot_addr",
       "pfn & w->colour_mask", "(pfn + 1) & w->colour_mask",
       "local-alias cache=aliasing slots=4", "I5")
mutant("local maps end in any order", "src/local.c", "pkmap_local_unmap",
       "|| cpu->stack[depth - 1].addr != addr", "",
       "misuse", "I10")

# DMA: the table of dma.h, and where the lines are.

mutant("before, to the device: nothing", "src/dma_lines.c", "rule_of",
       "{ PKMAP_CACHE_CLEAN, PKMAP_CACHE_CLEAN }", "{ NOTHING, NOTHING }",
       "to-device", "I2")
mutant("before, to the device: invalidate", "src/dma_lines.c", "rule_of",
       "{ PKMAP_CACHE_CLEAN, PKMAP_CACHE_CLEAN }",
       "{ PKMAP_CACHE_INVAL, PKMAP_CACHE_INVAL }",
       "to-device", "I1")
mutant("before, from the device: nothing", "src/dma_lines.c", "rule_of",
       "{ PKMAP_CACHE_INVAL,", "{ NOTHING,",
       "rfc", "I1")
mutant("before, from the device, shared: invalidate", "src/dma_lines.c",
       "rule_of",
       "{ PKMAP_CACHE_INVAL, PKMAP_CACHE_CLEAN_INVAL }",
       "{ PKMAP_CACHE_INVAL, PKMAP_CACHE_INVAL }",
       "edges", "I1")
mutant("before, from the device, shared: nothing", "src/dma_lines.c",
       "rule_of",
       "{ PKMAP_CACHE_INVAL, PKMAP_CACHE_CLEAN_INVAL }",
       "{ PKMAP_CACHE_INVAL, NOTHING }",
       "edges", "I1")
mutant("before, both ways: clean", "src/dma_lines.c", "rule_of",
       "{ PKMAP_CACHE_CLEAN_INVAL, PKMAP_CACHE_CLEAN_INVAL }",
       "{ PKMAP_CACHE_CLEAN, PKMAP_CACHE_CLEAN }",
       "dma-irq", "I2")
mutant("before, both ways: invalidate", "src/dma_lines.c", "rule_of",
       "{ PKMAP_CACHE_CLEAN_INVAL, PKMAP_CACHE_CLEAN_INVAL }",
       "{ PKMAP_CACHE_INVAL, PKMAP_CACHE_INVAL }",
       "dma-irq", "I1")
mutant("before, both ways: nothing", "src/dma_lines.c", "rule_of",
       "{ PKMAP_CACHE_CLEAN_INVAL, PKMAP_CACHE_CLEAN_INVAL }",
       "{ NOTHING, NOTHING }",
       "dma-irq", "I2")
mutant("after, a CPU that speculates: nothing", "src/dma_lines.c", "rule_of",
       "d->win->cache.speculative ? PKMAP_CACHE_INVAL : NOTHING", "NOTHING",
       "prefetch cache=vipt", "I2")
mutant("after, shared: nothing", "src/dma_lines.c", "rule_of",
       "NOTHING, PKMAP_CACHE_CLEAN_INVAL", "NOTHING, NOTHING",
       "edges", "I2")
mutant("after, shared: invalidate", "src/dma_lines.c", "rule_of",
       "NOTHING, PKMAP_CACHE_CLEAN_INVAL", "NOTHING, PKMAP_CACHE_INVAL",
       "edges", "I1")
mutant("after, both ways: nothing", "src/dma_lines.c", "rule_of",
       "dir == PKMAP_DMA_TO_DEVICE", "dir != PKMAP_DMA_FROM_DEVICE",
       "dma-irq cache=vipt spec=1", "I2")
mutant("first shared line worked on as a whole one", "src/dma_lines.c",
       "parts_of",
       "whole = (r->start + mask) & ~mask", "whole = r->start & ~mask",
       "edges", "I1")
mutant("last shared line worked on as a whole one", "src/dma_lines.c",
       "parts_of",
       "whole_end = r->end & ~mask", "whole_end = (r->end + mask) & ~mask",
       "edges", "I1")
mutant("last shared line left out", "src/dma_lines.c", "parts_of",
       "return add_part(parts, n, whole_end, last, rule->shared);",
       "return (void)last, n;",
       "edges page_shift=3", "I2")
mutant("page let go before its lines are worked on", "src/dma_lines.c",
       "hold_page",
       "*held = HELD_BY_PIN;", "*held = HELD_FOR_GOOD; pkmap_unmap(w, *addr);",
       "dma-irq cache=vipt cpus=2 ipi=1", "I4")
mutant("page of a DMA call stays pinned", "src/dma_lines.c", "release_page",
       "pkmap_unmap(d->win, addr);", ";",
       "rfc", "I9")
mutant("VIVT: open local maps not looked at", "src/dma_lines.c", "hold_page",
       "local = pkmap_find_local(...);", "local = NULL;",
       "local-dma", "I2")
mutant("VIVT: local map that is being closed not looked at",
       "src/dma_lines.c", "hold_page",
       "LOCAL_OPEN, LOCAL_USED", "LOCAL_OPEN, LOCAL_OPEN",
       "local-dma", "I2")
mutant("VIVT: a slot for DMA calls all the same", "src/dma_lines.c",
       "hold_page",
       "w->cache.kind != PKMAP_CACHE_VIVT", "w->dma_slots",
       "local-dma", "I2")
mutant("not VIVT: no slot for DMA calls", "src/dma_lines.c", "hold_page",
       "w->cache.kind != PKMAP_CACHE_VIVT", "w->nslots > 64",
       "rfc cache=vipt", "I1")
mutant("slot for DMA calls of the wrong colour", "src/dma_lines.c",
       "take_dma_slot",
       "w->local_slots + depth, pfn)", "w->local_slots + depth, pfn + 1)",
       "reclaim-pin cache=aliasing", "I1")
mutant("slots for DMA calls: one for all levels", "src/dma_lines.c",
       "take_dma_slot",
       "w->local_slots + depth, pfn)", "w->local_slots, pfn)",
       "to-device cache=vipt", "I4")
mutant("second page of a buffer left out", "src/dma_lines.c",
       "maintain_inner",
       "page < parts[n - 1].end;", "page <= parts[0].start;",
       "to-device", "I2")

# Memory orders (docs/design.md, section 9).

weaken("install() stores MAPPED: relaxed", "src/map.c", "install",
       "pkmap_a32_store_release", "pkmap_a32_store_relaxed",
       "remap cpus=2", "I4")
weaken("word_add_user(): relaxed", "src/window_priv.h", "word_add_user",
       "pkmap_a32_add_acquire(word, WORD_USER)",
       "(uint32_t)machine_atomic_add(word, 4, WORD_USER, MACHINE_RELAXED)",
       "remap cpus=2", "I4")
weaken("word_take_user(): relaxed", "src/window_priv.h", "word_take_user",
       "pkmap_a32_sub_seq_cst(word, WORD_USER)",
       "(uint32_t)machine_atomic_add(word, 4, 0 - WORD_USER, MACHINE_RELAXED)",
       "remap cpus=2", "I1")
weaken("word_take_user(): release", "src/window_priv.h", "word_take_user",
       "pkmap_a32_sub_seq_cst(word, WORD_USER)",
       "pkmap_a32_add_release(word, 0 - WORD_USER)",
       "nested cpus=2", "I9")
weaken("restore_user(): acquire", "src/window.c", "restore_user",
       "pkmap_a32_cas_seq_cst", "pkmap_a32_cas_acquire",
       "excess-forget cpus=2 cache=vipt", "I9")
weaken("get_again() without its fence", "src/window.c", "get_again",
       "pkmap_fence_seq_cst();", "",
       "excess-forget cpus=2 cache=vipt", "I9")
weaken("mark(): relaxed", "src/reclaim.c", "mark",
       "pkmap_a32_cas_acquire(word, &old, ...);",
       "machine_atomic_cas(&word->v, &old, ..., MACHINE_RELAXED);",
       "remap cpus=2", "I1")
weaken("waiters looked for: acquire", "src/window.c", "wake_if_waiting",
       "pkmap_a32_load_seq_cst", "pkmap_a32_load_acquire",
       "nested cpus=2", "I9")
weaken("waiter's fence left out", "src/map.c", "pkmap_announce_waiter",
       "pkmap_fence_seq_cst();", "",
       "nested cpus=2", "I9")
weaken("waiter's fence: acquire", "src/map.c", "pkmap_announce_waiter",
       "pkmap_fence_seq_cst();", "pkmap_fence_acquire();",
       "nested cpus=2", "I9")
weaken("claim(): relaxed", "src/reclaim.c", "claim",
       "pkmap_a32_cas_release(word, &old, 0)",
       "machine_atomic_cas(&word->v, &old, 0, MACHINE_RELAXED)",
       "ipi cpus=2 ipi=1", "I8")
weaken("install() stores the pfn: relaxed", "src/map.c", "install",
       "pkmap_along_store_release", "pkmap_along_store_relaxed",
       "second-look cpus=2", "I8")
weaken("pkmap_push_free() stores no pfn: relaxed", "src/reclaim.c",
       "push_free",
       "pkmap_along_store_release", "pkmap_along_store_relaxed",
       "remap cpus=2", "I8")
weaken("pkmap_index_remove() stores the link: relaxed", "src/index.c",
       "pkmap_index_remove",
       "pkmap_a32_store_release", "pkmap_a32_store_relaxed",
       "ipi cpus=2 ipi=1", "I8")
weaken("no fence after a miss, slow path", "src/window.c", "pkmap_get",
       "pkmap_fence_acquire();", "",
       "remap cpus=2", "I8")
weaken("no fence after a miss, fast path", "src/window.c", "pkmap_get_slow",
       "pkmap_fence_acquire();", "",
       "remap cpus=2", "I8")
weaken("pkmap_index_insert() stores head: relaxed", "src/index.c",
       "pkmap_index_insert",
       "pkmap_a32_store_release(head", "pkmap_a32_store_relaxed(head",
       "recycle cache=vipt cpus=2", "I8")
weaken("index_walk() loads head: relaxed", "src/window_priv.h", "index_walk",
       "pkmap_a32_load_acquire(&w->head", "pkmap_a32_load_relaxed(&w->head",
       "recycle cache=vipt cpus=2", "I8")

# Forget, and unmap by the page's number.

mutant("forget does not look at local maps", "src/forget.c", "page_in_use",
       "pfn = page_of_cpu(w, nth_cpu(w, nr), p);", "",
       "forget cpus=2 cache=vipt", "I3")
mutant("closing local map not seen by forget", "src/local.c", "close_slot",
       "&cleaning, LOCAL_CLEARING", "&cleaning, LOCAL_CLOSED",
       "forget cpus=2 cache=vipt", "I3")
mutant("end of a local map wakes nobody", "src/local.c", "clear_slot",
       "wake_for_local(...);", "",
       "forget cpus=2 cache=vipt", "I9")
mutant("forget tears down what was used meanwhile", "src/forget.c",
       "forget_idle",
       "return page_in_slot(w, s, p, false);", "return PKMAP_NO_PFN;",
       "forget", "I3")
mutant("forget sleeps without a last look", "src/forget.c", "wait_for_page",
       "if (page_in_use(w, slots_of(w, page), page) != PKMAP_NO_PFN)", "",
       "forget cpus=2 cache=vipt", "I9")
mutant("unmap_pfn() without the second look", "src/window_priv.h",
       "slot_take_user",
       "|| pkmap_along_load_relaxed(&w->pfn[slot]) != pfn", "",
       "unmap-pfn", "I10")
mutant("unmap_pfn() looks at the word last", "src/window_priv.h",
       "slot_take_user",
       "*old = ...; if (unlikely(...|| ... != pfn))",
       "const bool moved = pkmap_along_load_relaxed(&w->pfn[slot]) != pfn;"
       "*old = ...; if (unlikely(!word_has_user(*old) || moved))",
       "unmap-pfn", "I10")
weaken("slot_take_user() loads the word: relaxed", "src/window_priv.h",
       "slot_take_user",
       "pkmap_a32_load_acquire(word)", "pkmap_a32_load_relaxed(word)",
       "unmap-pfn cpus=2 cache=vipt", "I10")
weaken("wake_for_local() without its fence", "src/window_priv.h",
       "wake_for_local",
       "pkmap_fence_seq_cst();", "",
       "forget cpus=2 cache=vipt", "I9")
weaken("pkmap_index_insert() stores next: relaxed", "src/index.c",
       "pkmap_index_insert",
       "pkmap_a32_store_release(&w->next", "pkmap_a32_store_relaxed(&w->next",
       "carried cache=vipt cpus=2", "I8")
weaken("index_walk() loads next: relaxed", "src/window_priv.h", "index_walk",
       "pkmap_a32_load_acquire(&w->next", "pkmap_a32_load_relaxed(&w->next",
       "carried cache=vipt cpus=2", "I8")
weaken("pkmap_push_free() stores next: relaxed", "src/reclaim.c",
       "push_free",
       "pkmap_a32_store_release", "pkmap_a32_store_relaxed",
       "carried cache=vipt cpus=2", "I8")
