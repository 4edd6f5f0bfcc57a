# SPDX-License-Identifier: MIT
"""What is broken in src/, and where the checker sees it.

A row: the mutant's name, the file, the text that is replaced (it is there
exactly once), the text that takes its place, the scenario with the machine that
it runs on (see tests/mutants/main.c), and the invariant that must be named.
"""

ROWS = []


def mutant(name, file, old, new, run, invariant):
    ROWS.append((name, file, old, new, run, invariant))


def weaken(name, file, old, new, run, invariant):
    """A memory order: only --memory ra sees it."""
    mutant(name, file, old, new, run + " ra=1", invariant)


# In claim_marked(): whether a slot is claimed.
CLAIMED = (
    "\t\tif (!(pkmap_a32_load_relaxed(&word[slot]) & WORD_CLEANING) ||\n"
    "\t\t    !claim(&word[slot]))\n")
# In word_take_user(): a user is taken off.
TAKEN = (
    "\t\tif (unlikely(!word_has_user(*old)))\n\t\t\treturn false;\n"
    "\t} while (unlikely(!pkmap_a32_cas_seq_cst(word, old, "
    "*old - WORD_USER)));\n")

# Reclaim: mark, clean, claim, free, clear, flush.

mutant("claim before clean", "src/reclaim.c",
       "\tclean_lines(w, s);\n\tfreed = claim_marked(w, s);",
       "\tfreed = claim_marked(w, s);\n\tclean_lines(w, s);",
       "reclaim-pin", "I8")
mutant("lines not cleaned", "src/reclaim.c",
       "\tclean_lines(w, s);\n", "\t(void)clean_lines;\n",
       "rfc", "I1")
mutant("lines of the first slot cleaned only", "src/reclaim.c",
       "(size_t)r.count << w->page_shift);", "(size_t)1 << w->page_shift);",
       "reclaim-pin batch=2", "I1")
mutant("whole cache not cleaned", "src/reclaim.c",
       "\t\tw->ops->cache_clean_inval_all(w->port);\n", "",
       "rfc whole=1", "I1")
mutant("claim accepts one that was used", "src/reclaim.c",
       CLAIMED,
       "\t\tuint32_t old = pkmap_a32_load_relaxed(&word[slot]) & WORD_FLAGS;\n"
       "\t\tif (!(old & (WORD_CLEANING | WORD_REFERENCED)) ||\n"
       "\t\t    !pkmap_a32_cas_release(&word[slot], &old, 0))\n",
       "rfc", "I1")
mutant("claim accepts one in use", "src/reclaim.c",
       CLAIMED,
       "\t\tuint32_t old = pkmap_a32_load_relaxed(&word[slot]);\n"
       "\t\tif (!(old & WORD_MAPPED) ||\n"
       "\t\t    !pkmap_a32_cas_release(&word[slot], &old, 0))\n",
       "nmi", "I10")
mutant("a slot in use is marked", "src/reclaim.c",
       "\tif (old == WORD_MAPPED)\n\t\treturn mark(word, old);\n"
       "\tif (old == (WORD_MAPPED | WORD_REFERENCED))\n"
       "\t\tpkmap_a32_cas_acquire(word, &old, WORD_MAPPED);\n"
       "\treturn false;\n",
       "\tif (!(old & WORD_MAPPED) || old & WORD_CLEANING)\n"
       "\t\treturn false;\n"
       "\treturn pkmap_a32_cas_acquire(word, &old,\n"
       "\t\t\t\t     (old | WORD_CLEANING) & ~WORD_REFERENCED);\n",
       "full-window", "I1")
mutant("mark keeps REFERENCED", "src/reclaim.c",
       "\treturn pkmap_a32_cas_acquire(word, &old, WORD_MAPPED | "
       "WORD_CLEANING);",
       "\treturn pkmap_a32_cas_acquire(word, &old, old | WORD_CLEANING);",
       "local-alias", "I9")
mutant("last slot marked is not claimed", "src/reclaim.c",
       "for (k = s.count; k; k--, slot",
       "for (k = s.count; k > 1; k--, slot",
       "rfc", "I9")
mutant("claimed slot left in the index", "src/reclaim.c",
       "\t\tpkmap_index_remove(w, slot);\n", "",
       "rfc", "I7")
mutant("translations not cleared", "src/reclaim.c",
       "\t\tw->ops->clear(w->port, slot_addr(w, r.slot), r.count);\n",
       "\t\t(void)w;\n",
       "two-pages", "I4")
mutant("one translation of a run cleared", "src/reclaim.c",
       "slot_addr(w, r.slot), r.count);", "slot_addr(w, r.slot), 1);",
       "flush", "I4")
mutant("TLBs not flushed", "src/reclaim.c",
       "\tw->ops->flush_tlb(w->port, slot_addr(w, first),\n"
       "\t\t\t  (size_t)(end - first)\n"
       "\t\t\t\t  << (w->slot_shift - w->page_shift),\n"
       "\t\t\t  false);\n",
       "",
       "rfc", "I4")
mutant("TLB of this CPU flushed only", "src/reclaim.c",
       "<< (w->slot_shift - w->page_shift),\n"
       "\t\t\t  false);",
       "<< (w->slot_shift - w->page_shift),\n"
       "\t\t\t  true);",
       "rfc cache=vipt cpus=2 ipi=1", "I4")
mutant("TLBs flushed for all slots but the last", "src/reclaim.c",
       "(size_t)(end - first)\n",
       "(size_t)(end - first - 1)\n",
       "rfc", "I4")
mutant("TLBs flushed before the clear", "src/reclaim.c",
       "\tclear_run(w, r);\n\tclaimed += r.count;\n"
       "\tif (claimed)\n"
       "\t\tflush_tlb(w, first, r.slot + r.count);\n",
       "\tclaimed += r.count;\n"
       "\tif (claimed)\n"
       "\t\tflush_tlb(w, first, r.slot + r.count);\n"
       "\tclear_run(w, r);\n",
       "prefetch cache=vipt", "I4")
mutant("last run not cleared", "src/reclaim.c",
       "\tclear_run(w, r);\n\tclaimed += r.count;\n\tif (claimed)",
       "\tclaimed += r.count;\n\tif (claimed)",
       "rfc", "I4")
mutant("freed slot keeps its page number", "src/reclaim.c",
       "\tpkmap_along_store_release(&w->pfn[slot], PKMAP_NO_PFN);\n", "",
       "flush", "I9")
mutant("freed slot is on no stack", "src/reclaim.c",
       "\t*top = slot;\n", "",
       "two-pages", "I7")
mutant("flush without the lock", "src/reclaim.c",
       "\tpkmap_lock(w, NULL);\n"
       "\tfreed = pkmap_tear_down_idle(w);\n"
       "\tpkmap_clear_now(w);\n"
       "\tpkmap_unlock(w);",
       "\tfreed = pkmap_tear_down_idle(w);",
       "flush", "I3")

# The word: get and put.

mutant("CLEANING kept by a get", "src/window.c",
       "new_word = (old | WORD_REFERENCED) & ~WORD_CLEANING;",
       "new_word = old | WORD_REFERENCED;",
       "rfc", "I9")
mutant("get leaves the word as it is", "src/window.c",
       "\telse if (!word_plain(old))\n\t\tmark_used(&w->word[slot]);\n",
       "\t(void)mark_used;\n",
       "rfc", "I9")
mutant("get of a slot that is not mapped", "src/window.c",
       "\tif (!(old & WORD_MAPPED)) {\n\t\tundo_get(w, slot);\n"
       "\t\treturn false;\n\t}\n", "\t(void)undo_get;\n",
       "rfc", "I10")
mutant("failed get not undone", "src/window.c",
       "\t\tundo_get(w, slot);\n", "\t\t(void)undo_get;\n",
       "rfc", "I9")
mutant("undone get wakes nobody", "src/window.c",
       "old - WORD_USER));\n\twake_if_waiting(w, slot, old);",
       "old - WORD_USER));",
       "stray", "I9")
mutant("second look left out, fast path", "src/window_priv.h",
       "\treturn likely(word_plain(*old) &&\n"
       "\t\t      pkmap_along_load_relaxed(&w->pfn[*slot]) == pfn);",
       "\treturn likely(word_plain(*old));",
       "second-look", "I3")
mutant("second look left out, slow path", "src/window.c",
       "\t\tif (pkmap_along_load_relaxed(&w->pfn[slot]) == pfn)\n"
       "\t\t\treturn slot;",
       "\t\tif (slot != PKMAP_NO_SLOT)\n\t\t\treturn slot;",
       "rfc", "I1")
mutant("wrong slot kept after the second look", "src/window.c",
       "\t\t\treturn slot;\n\t\tpkmap_put(w, slot);", "\t\t\treturn slot;",
       "rfc", "I9")
mutant("rest of a get keeps the first", "src/window.c",
       "\tif (pkmap_settle(w, slot, old))\n\t\tpkmap_put(w, slot);",
       "\tpkmap_settle(w, slot, old);",
       "rfc", "I9")
mutant("get finds a slot without looking at MAPPED", "src/window_priv.h",
       "\treturn (word & (WORD_SATURATED | WORD_FLAGS)) ==\n"
       "\t       (WORD_MAPPED | WORD_REFERENCED);",
       "\treturn !(word & (WORD_SATURATED | WORD_CLEANING));",
       "rfc", "I10")
mutant("put by load and store", "src/window_priv.h",
       TAKEN,
       "\t\tif (unlikely(!word_has_user(*old)))\n"
       "\t\t\treturn false;\n"
       "\t} while (0);\n"
       "\tpkmap_a32_store_release(word, *old - WORD_USER);\n",
       "rfc", "I9")
mutant("put wakes nobody", "src/window.c",
       "\t\treturn refuse_unmap(w, addr);\n"
       "\twake_if_waiting(w, (uint32_t)slot, old);",
       "\t\treturn refuse_unmap(w, addr);",
       "full-window", "I9")
mutant("pin's own put wakes nobody", "src/window.c",
       "\tif (word_take_user(&w->word[slot], &old))\n"
       "\t\twake_if_waiting(w, slot, old);",
       "\tword_take_user(&w->word[slot], &old);",
       "stray", "I9")
mutant("put wakes before it takes its user off", "src/window.c",
       "\tif (unlikely(slot >= w->nslots ||\n"
       "\t\t     !word_take_user(&w->word[slot], &old)))\n"
       "\t\treturn refuse_unmap(w, addr);\n"
       "\twake_if_waiting(w, (uint32_t)slot, old);\n",
       "\tif (slot < w->nslots)\n"
       "\t\twake_if_waiting(w, (uint32_t)slot,\n"
       "\t\t\t\tpkmap_a32_load_relaxed(&w->word[slot]));\n"
       "\tif (unlikely(slot >= w->nslots ||\n"
       "\t\t     !word_take_user(&w->word[slot], &old)))\n"
       "\t\treturn refuse_unmap(w, addr);\n",
       "full-window", "I9")
mutant("put looks for waiters first", "src/window.c",
       "\tuint32_t old;\n\n"
       "\tif (unlikely(slot >= w->nslots ||\n"
       "\t\t     !word_take_user(&w->word[slot], &old)))\n"
       "\t\treturn refuse_unmap(w, addr);\n"
       "\twake_if_waiting(w, (uint32_t)slot, old);\n",
       "\tconst bool waiters = pkmap_a32_load_seq_cst(&w->waiters);\n"
       "\tuint32_t old;\n\n"
       "\tif (unlikely(slot >= w->nslots ||\n"
       "\t\t     !word_take_user(&w->word[slot], &old)))\n"
       "\t\treturn refuse_unmap(w, addr);\n"
       "\tif (waiters)\n"
       "\t\twake_if_waiting(w, (uint32_t)slot, old);\n",
       "two-pages", "I9")

# Misuse.

mutant("unmap of an idle slot accepted", "src/window_priv.h",
       "\t\tif (unlikely(!word_has_user(*old)))\n"
       "\t\t\treturn false;\n",
       "\t\tif (unlikely(!(*old & WORD_MAPPED)))\n"
       "\t\t\treturn false;\n"
       "\t\tif (!word_in_use(*old))\n"
       "\t\t\treturn true;\n",
       "misuse", "I10")
mutant("unmap of a free slot accepted", "src/window_priv.h",
       "\t\tif (unlikely(!word_has_user(*old)))\n"
       "\t\t\treturn false;\n",
       "\t\tif (unlikely(!word_has_user(*old)))\n"
       "\t\t\treturn !*old;\n",
       "misuse", "I10")

# The index.

mutant("end marker unchecked", "src/window_priv.h",
       "\t} while (unlikely(link != (LINK_END | bucket)));", "\t} while (0);",
       "recycle", "I8")
mutant("head stored before next", "src/index.c",
       "\tpkmap_a32_store_release(&w->next[slot], pkmap_a32_load_relaxed(head));"
       "\n\tpkmap_a32_store_release(head, slot);",
       "\tconst uint32_t first = pkmap_a32_load_relaxed(head);\n\n"
       "\tpkmap_a32_store_release(head, slot);\n"
       "\tpkmap_a32_store_release(&w->next[slot], first);",
       "dma-irq", "I6")
mutant("inserted behind the first", "src/index.c",
       "\tpkmap_a32_store_release(&w->next[slot], pkmap_a32_load_relaxed(head));"
       "\n\tpkmap_a32_store_release(head, slot);",
       "\tconst uint32_t first = pkmap_a32_load_relaxed(head);\n\n"
       "\tif (!(first & LINK_END))\n"
       "\t\thead = &w->next[first];\n"
       "\tpkmap_a32_store_release(&w->next[slot], "
       "pkmap_a32_load_relaxed(head));\n"
       "\tpkmap_a32_store_release(head, slot);",
       "recycle", "I8")
mutant("insert loses the chain", "src/index.c",
       "\tpkmap_a32_store_release(&w->next[slot], pkmap_a32_load_relaxed(head));",
       "\tpkmap_a32_store_release(&w->next[slot],\n"
       "\t\t\t\tLINK_END | (uint32_t)(head - w->head));",
       "rfc", "I1")
mutant("remove loses the chain", "src/index.c",
       "\tpkmap_a32_store_release(link, pkmap_a32_load_relaxed(&w->next[slot]));",
       "\tpkmap_a32_store_release(link,\n"
       "\t\t\t\tLINK_END | (uint32_t)pfn_bucket(w, pfn));",
       "reclaim-pin", "I8")
mutant("removed slot loses its link", "src/index.c",
       "\tpkmap_a32_store_release(link, pkmap_a32_load_relaxed(&w->next[slot]));",
       "\tpkmap_a32_store_release(link, pkmap_a32_load_relaxed(&w->next[slot]));"
       "\n\tpkmap_a32_store_release(&w->next[slot],\n"
       "\t\t\t\tLINK_END | (uint32_t)pfn_bucket(w, pfn));",
       "recycle", "I8")
mutant("free slots end as bucket 0 does", "src/window_priv.h",
       "#define LINK_END_FREE\t\tUINT32_MAX",
       "#define LINK_END_FREE\t\tLINK_END",
       "recycle", "I8")

# Map.

mutant("got before it is in the index", "src/map.c",
       "\tpkmap_index_insert(w, head, slot);\n"
       "\tpkmap_a32_add_release(&w->word[slot], WORD_MAPPED | WORD_USER);\n",
       "\tpkmap_a32_add_release(&w->word[slot], WORD_MAPPED | WORD_USER);\n"
       "\tpkmap_index_insert(w, head, slot);\n",
       "remap", "I8")
mutant("usable before the translation is set", "src/map.c",
       "\terr = w->ops->set(w->port, slot_addr(w, slot), pfn, w->read_only);\n"
       "\tif (err) {\n\t\tpkmap_push_free(w, slot);\n\t\treturn err;\n\t}\n"
       "\tpkmap_index_insert(w, head, slot);\n"
       "\tpkmap_a32_add_release(&w->word[slot], WORD_MAPPED | WORD_USER);\n",
       "\tpkmap_index_insert(w, head, slot);\n"
       "\tpkmap_a32_add_release(&w->word[slot], WORD_MAPPED | WORD_USER);\n"
       "\terr = w->ops->set(w->port, slot_addr(w, slot), pfn, w->read_only);\n"
       "\tif (err)\n\t\treturn err;\n",
       "remap", "I3")
mutant("word stored, not added to", "src/map.c",
       "\tpkmap_a32_add_release(&w->word[slot], WORD_MAPPED | WORD_USER);",
       "\tpkmap_a32_store_release(&w->word[slot], WORD_MAPPED | WORD_USER);",
       "rfc", "I10")
mutant("installed without a user", "src/map.c",
       "\tpkmap_a32_add_release(&w->word[slot], WORD_MAPPED | WORD_USER);",
       "\tpkmap_a32_add_release(&w->word[slot], WORD_MAPPED);",
       "rfc", "I10")
mutant("not looked up again under the lock", "src/map.c",
       "\tuint32_t slot = pkmap_index_find(w, head, pfn);\n",
       "\tuint32_t slot = w->nslots > 64 ? pkmap_index_find(w, head, pfn) :\n"
       "\t\t\t\t\t PKMAP_NO_SLOT;\n",
       "same-page", "I7")
mutant("nothing reclaimed", "src/map.c",
       "\tdo {\n\t\tslot = pkmap_pop_free(w, colour);\n"
       "\t} while (unlikely(slot == PKMAP_NO_SLOT) && pkmap_reclaim(w, colour));\n",
       "\tslot = pkmap_pop_free(w, colour);\n",
       "rfc", "I7")
mutant("several: refused", "src/map.c",
       "\tint err = check_request(w, pfns, n);",
       "\tint err = n > 1 ? PKMAP_EAGAIN : check_request(w, pfns, n);",
       "two-pages", "I10")
mutant("waits for no slot", "src/map.c",
       "\tif (wait && wait->flags & PKMAP_WAIT_NEVER)\n\t\ta->gave_up",
       "\tif (wait)\n\t\ta->gave_up",
       "deadline", "I10")
mutant("several: keeps what it has taken", "src/map.c",
       "\t\t\tpkmap_put_pages(w, pfns, k);\n", "",
       "flush", "I9")
mutant("several: keeps what it has pinned", "src/window.c",
       "slow:\n\tpkmap_put_pages(w, pfns, k);\n", "slow:\n",
       "nested", "I9")
mutant("several: a page asked for twice counts twice", "src/map.c",
       "pfn_colour(w, pfns[k]) == colour &&\n"
       "\t\t    !contains(pfns, k, pfns[k]))",
       "pfn_colour(w, pfns[k]) == colour)",
       "same-page", "I9")

# The machine's port, on caches that promise less.

mutant("port has a run cleaned by one call", "machine/model/port.c",
       "\tfor (; bytes; bytes -= page_bytes(), page += page_bytes())\n"
       "\t\tcache_clean_inval_range(page, page_bytes());\n",
       "\tcache_clean_inval_range(page, bytes);\n",
       "flush-run cache=vivt-page", "I2")
mutant("port has lines cleaned and dropped in steps", "machine/model/port.c",
       "\t\tcache.whole_bytes = 1;\n", "\t\tcache.whole_bytes = 0;\n",
       "flush-run cache=vivt-steps", "I1")

# Waiting.

mutant("wakes one of those who wait", "machine/model/port.c",
       "\t\tlog_event((int)nr, EVENT_GO_ON, \"is woken by %s\",\n"
       "\t\t\t  m.info[m.current].name);\n",
       "\t\tbreak;\n",
       "wake-all", "I9")
mutant("event not changed", "src/window.c",
       "\tpkmap_a32_add_release(&colour->event, 1);\n", "",
       "full-window", "I9")
mutant("event changed, nobody woken", "src/window.c",
       "\tw->ops->wake(w->port, &colour->event);\n", "",
       "full-window", "I9")
mutant("woken before the event changes", "src/window.c",
       "\tpkmap_a32_add_release(&colour->event, 1);\n"
       "\tw->ops->wake(w->port, &colour->event);\n",
       "\tw->ops->wake(w->port, &colour->event);\n"
       "\tpkmap_a32_add_release(&colour->event, 1);\n",
       "full-window", "I9")
mutant("woken on the event of another colour", "src/window.c",
       "\t\tpkmap_wake(w, slot_colour(w, slot));",
       "\t\tpkmap_wake(w, slot_colour(w, slot ^ 1));",
       "full-window cache=aliasing", "I9")
mutant("waiter not announced", "src/map.c",
       "\tpkmap_a32_add_seq_cst(&w->waiters, 1);\n", "",
       "full-window", "I9")
mutant("waiter announced after its last look", "src/map.c",
       "\tseen = pkmap_announce_waiter(w, &w->colour[c]);\n"
       "\tif (lacking_colour(w, pfns, n) == c)\n",
       "\tconst bool lacks = lacking_colour(w, pfns, n) == c;\n"
       "\tseen = pkmap_announce_waiter(w, &w->colour[c]);\n"
       "\tif (lacks)\n",
       "full-window", "I9")
mutant("no last look", "src/map.c",
       "\tif (lacking_colour(w, pfns, n) == c)\n",
       "\tif (c != NO_COLOUR)\n",
       "full-window", "I9")
mutant("last look after the lock is dropped", "src/map.c",
       "\tpkmap_unlock(w);\n"
       "\terr = w->ops->wait(",
       "\tpkmap_unlock(w);\n"
       "\tseen = pkmap_a32_load_acquire(&colour->event);\n"
       "\terr = w->ops->wait(",
       "full-window", "I9")
mutant("event read after the last look", "src/map.c",
       "\tint err;\n"
       "\n"
       "\tcount(&w->waits);\n",
       "\tint err;\n"
       "\n"
       "\tseen = pkmap_a32_load_acquire(&colour->event);\n"
       "\tcount(&w->waits);\n",
       "full-window", "I9")
mutant("lock kept while waiting", "src/map.c",
       "\tpkmap_unlock(w);\n"
       "\terr = w->ops->wait(w->port, &colour->event, seen,\n"
       "\t\t\t   wait ? wait : &no_deadline);\n"
       "\tpkmap_lock(w, NULL);\n",
       "\terr = w->ops->wait(w->port, &colour->event, seen,\n"
       "\t\t\t   wait ? wait : &no_deadline);\n",
       "nested", "I7")
mutant("waiter stays announced", "src/map.c",
       "\tpkmap_a32_sub_seq_cst(&w->waiters, 1);\n", "",
       "full-window", "I9")
mutant("free slots not counted", "src/map.c",
       "\t\tif (pfn == PKMAP_NO_PFN || contains(pfns, n, pfn) ||",
       "\t\tif (contains(pfns, n, pfn) ||",
       "flush", "I9")
mutant("idle slots not counted", "src/map.c",
       "contains(pfns, n, pfn) ||\n"
       "\t\t    word_idle(pkmap_a32_load_relaxed(&w->word[slot])))",
       "contains(pfns, n, pfn))",
       "rfc", "I9")
mutant("pages that are mapped not counted", "src/map.c",
       "\t\tif (pfn == PKMAP_NO_PFN || contains(pfns, n, pfn) ||",
       "\t\tif (pfn == PKMAP_NO_PFN || (n > 64 && contains(pfns, n, pfn)) ||",
       "same-page", "I9")
mutant("deadline not told", "src/map.c",
       "\ta->gave_up = wait_for_slots(w, pfns, n, wait);\n",
       "\twait_for_slots(w, pfns, n, wait);\n",
       "deadline", "I7")
mutant("no deadline", "src/map.c",
       "wait ? wait : &no_deadline);", "wait && wait->flags ? wait : &no_deadline);",
       "deadline", "I9")

# Local maps.

mutant("local map does not pin", "src/local.c",
       "\tl->addr = pkmap_pin(w, pfn);", "\tl->addr = NULL;",
       "local-alias", "I5")
mutant("local map does not look for an outer one", "src/local.c",
       "\t\tl->addr = find_outer(cpu, k, pfn);",
       "\t\tl->addr = k > 64 ? find_outer(cpu, k, pfn) : NULL;",
       "local-alias", "I5")
mutant("borrowed while cleaning, not said", "src/local.c",
       "\tif (pkmap_a32_load_relaxed(&l->state) == LOCAL_CLEANING)\n"
       "\t\tpkmap_a32_store_relaxed(&l->state, LOCAL_USED);\n", "",
       "local-alias", "I5")
mutant("one that is being closed is not borrowed", "src/local.c",
       "\t\tfind_local(cpu, depth, pfn, LOCAL_OPEN, LOCAL_USED);",
       "\t\tfind_local(cpu, depth, pfn, LOCAL_OPEN, LOCAL_OPEN);",
       "local-alias", "I5")
mutant("closed without cleaning", "src/local.c",
       "\t\tif (w->cache.kind == PKMAP_CACHE_VIVT)\n"
       "\t\t\tw->ops->cache_clean_inval(w->port, l->addr,\n"
       "\t\t\t\t\t\t  (size_t)1 << w->page_shift);\n", "",
       "local-alias", "I5")
mutant("cleaned once, whoever used it", "src/local.c",
       "\t} while (!pkmap_a32_cas_release(&l->state, &cleaning, "
       "LOCAL_CLEARING));",
       "\t} while (0);\n"
       "\tpkmap_a32_cas_release(&l->state, &cleaning, LOCAL_CLEARING);\n"
       "\tpkmap_a32_store_relaxed(&l->state, LOCAL_CLEARING);",
       "local-alias", "I5")
mutant("cleaned before it is said", "src/local.c",
       "\tuint32_t cleaning;\n\n\tdo {\n",
       "\tuint32_t cleaning;\n\n"
       "\tw->ops->cache_clean_inval(w->port, l->addr,\n"
       "\t\t\t\t  (size_t)1 << w->page_shift);\n"
       "\tpkmap_a32_store_relaxed(&l->state, LOCAL_CLOSED);\n"
       "\tclear_local_slot(w, l->addr);\n\treturn;\n\tdo {\n",
       "local-alias", "I5")
mutant("borrower closes the slot", "src/local.c",
       "\tenum local_state state = LOCAL_BORROWED;",
       "\tenum local_state state = LOCAL_OPEN;",
       "local-dma", "I3")
mutant("local slot keeps its translation", "src/window_priv.h",
       "\tw->ops->clear(w->port, addr, 1);\n", "",
       "local-alias", "I4")
mutant("local slot stays in the TLB", "src/window_priv.h",
       "\tif (w->ops->flush_tlb)\n"
       "\t\tw->ops->flush_tlb(w->port, addr, 1, true);\n", "",
       "local-alias", "I4")
mutant("local map keeps its pin", "src/local.c",
       "\tif (addr_slot(w, l->addr) < w->nslots)\n"
       "\t\tpkmap_unmap(w, l->addr);\n", "",
       "dma-irq", "I9")
mutant("place taken when the map is open", "src/local.c",
       "\tpkmap_a32_store_relaxed(&cpu->depth, depth + 1);\n"
       "\tpkmap_fence_interrupt();\n"
       "\terr = open_local(w, cpu, depth, pfn);\n",
       "\terr = open_local(w, cpu, depth, pfn);\n"
       "\tpkmap_a32_store_relaxed(&cpu->depth, depth + 1);\n",
       "local-alias", "I4")
mutant("place given back before it is closed", "src/local.c",
       "\tclose_local(w, &cpu->stack[depth - 1]);\n"
       "\tpkmap_fence_interrupt();\n"
       "\tpkmap_a32_store_relaxed(&cpu->depth, depth - 1);\n",
       "\tpkmap_a32_store_relaxed(&cpu->depth, depth - 1);\n"
       "\tclose_local(w, &cpu->stack[depth - 1]);\n",
       "local-alias", "I4")
mutant("found before its slot shows the page", "src/local.c",
       "\t\terr = w->ops->set(w->port, l->addr, pfn, w->read_only);\n"
       "\t\tif (err)\n",
       "\t\tpkmap_along_store_relaxed(&l->pfn, pfn);\n"
       "\t\tpkmap_a32_store_relaxed(&l->state, LOCAL_OPEN);\n"
       "\t\terr = w->ops->set(w->port, l->addr, pfn, w->read_only);\n"
       "\t\tif (err)\n",
       "local-alias", "I3")
mutant("local slot of the wrong colour", "src/window_priv.h",
       "\t\t\t       (pfn & w->colour_mask);",
       "\t\t\t       ((pfn + 1) & w->colour_mask);",
       "local-alias cache=aliasing slots=4", "I5")
mutant("local maps end in any order", "src/local.c",
       "\tif (!depth || cpu->stack[depth - 1].addr != addr)",
       "\tif (!depth)",
       "misuse", "I10")

# DMA: the table of dma.h, and where the lines are.

mutant("before, to the device: nothing", "src/dma_lines.c",
       "{ PKMAP_CACHE_CLEAN,\n\t\t\t\t\t  PKMAP_CACHE_CLEAN },",
       "{ NOTHING, NOTHING },",
       "to-device", "I2")
mutant("before, to the device: invalidate", "src/dma_lines.c",
       "{ PKMAP_CACHE_CLEAN,\n\t\t\t\t\t  PKMAP_CACHE_CLEAN },",
       "{ PKMAP_CACHE_INVAL, PKMAP_CACHE_INVAL },",
       "to-device", "I1")
mutant("before, from the device: nothing", "src/dma_lines.c",
       "{ PKMAP_CACHE_INVAL,\n", "{ NOTHING,\n",
       "rfc", "I1")
mutant("before, from the device, shared: invalidate", "src/dma_lines.c",
       "{ PKMAP_CACHE_INVAL,\n\t\t\t\t\t    PKMAP_CACHE_CLEAN_INVAL },",
       "{ PKMAP_CACHE_INVAL, PKMAP_CACHE_INVAL },",
       "edges", "I1")
mutant("before, from the device, shared: nothing", "src/dma_lines.c",
       "{ PKMAP_CACHE_INVAL,\n\t\t\t\t\t    PKMAP_CACHE_CLEAN_INVAL },",
       "{ PKMAP_CACHE_INVAL, NOTHING },",
       "edges", "I1")
mutant("before, both ways: clean", "src/dma_lines.c",
       "{ PKMAP_CACHE_CLEAN_INVAL,\n\t\t\t\t\t      "
       "PKMAP_CACHE_CLEAN_INVAL },",
       "{ PKMAP_CACHE_CLEAN, PKMAP_CACHE_CLEAN },",
       "dma-irq", "I2")
mutant("before, both ways: invalidate", "src/dma_lines.c",
       "{ PKMAP_CACHE_CLEAN_INVAL,\n\t\t\t\t\t      "
       "PKMAP_CACHE_CLEAN_INVAL },",
       "{ PKMAP_CACHE_INVAL, PKMAP_CACHE_INVAL },",
       "dma-irq", "I1")
mutant("before, both ways: nothing", "src/dma_lines.c",
       "{ PKMAP_CACHE_CLEAN_INVAL,\n\t\t\t\t\t      "
       "PKMAP_CACHE_CLEAN_INVAL },",
       "{ NOTHING, NOTHING },",
       "dma-irq", "I2")
mutant("after, a CPU that speculates: nothing", "src/dma_lines.c",
       "\t\td->win->cache.speculative ? PKMAP_CACHE_INVAL : NOTHING,",
       "\t\tNOTHING,",
       "prefetch cache=vipt", "I2")
mutant("after, shared: nothing", "src/dma_lines.c",
       "NOTHING,\n\t\tPKMAP_CACHE_CLEAN_INVAL,\n", "NOTHING,\n\t\tNOTHING,\n",
       "edges", "I2")
mutant("after, shared: invalidate", "src/dma_lines.c",
       "NOTHING,\n\t\tPKMAP_CACHE_CLEAN_INVAL,\n",
       "NOTHING,\n\t\tPKMAP_CACHE_INVAL,\n",
       "edges", "I1")
mutant("after, both ways: nothing", "src/dma_lines.c",
       "\tif (dir == PKMAP_DMA_TO_DEVICE)\n\t\treturn",
       "\tif (dir != PKMAP_DMA_FROM_DEVICE)\n\t\treturn",
       "dma-irq cache=vipt spec=1", "I2")
mutant("first shared line worked on as a whole one", "src/dma_lines.c",
       "whole = (r->start + mask) & ~mask;", "whole = r->start & ~mask;",
       "edges", "I1")
mutant("last shared line worked on as a whole one", "src/dma_lines.c",
       "whole_end = r->end & ~mask;", "whole_end = (r->end + mask) & ~mask;",
       "edges", "I1")
mutant("last shared line left out", "src/dma_lines.c",
       "\treturn add_part(parts, n, whole_end, last, rule->shared);",
       "\treturn (void)last, n;",
       "edges page_shift=3", "I2")
mutant("page let go before its lines are worked on", "src/dma_lines.c",
       "\t\t*held = HELD_BY_PIN;\n\t\tword",
       "\t\t*held = HELD_FOR_GOOD;\n\t\tpkmap_unmap(w, *addr);\n\t\tword",
       "dma-irq cache=vipt cpus=2 ipi=1", "I4")
mutant("page of a DMA call stays pinned", "src/dma_lines.c",
       "\t\tpkmap_unmap(d->win, addr);\n\telse if (held == HELD_BY_DMA_SLOT)",
       "\t\t(void)addr;\n\telse if (held == HELD_BY_DMA_SLOT)",
       "rfc", "I9")
mutant("VIVT: open local maps not looked at", "src/dma_lines.c",
       "\tlocal = pkmap_find_local(w, pfn, LOCAL_OPEN, LOCAL_USED);",
       "\tlocal = NULL;",
       "local-dma", "I2")
mutant("VIVT: local map that is being closed not looked at",
       "src/dma_lines.c", "pfn, LOCAL_OPEN, LOCAL_USED);",
       "pfn, LOCAL_OPEN, LOCAL_OPEN);",
       "local-dma", "I2")
mutant("VIVT: a slot for DMA calls all the same", "src/dma_lines.c",
       "\tif (w->cache.kind != PKMAP_CACHE_VIVT) {\n\t\t*held",
       "\tif (w->dma_slots) {\n\t\t*held",
       "local-dma", "I2")
mutant("not VIVT: no slot for DMA calls", "src/dma_lines.c",
       "\tif (w->cache.kind != PKMAP_CACHE_VIVT) {\n\t\t*held",
       "\tif (w->nslots > 64) {\n\t\t*held",
       "rfc cache=vipt", "I1")
mutant("slot for DMA calls of the wrong colour", "src/dma_lines.c",
       "w->local_slots + depth, pfn);", "w->local_slots + depth, pfn + 1);",
       "reclaim-pin cache=aliasing", "I1")
mutant("slots for DMA calls: one for all levels", "src/dma_lines.c",
       "local_slot_addr(w, cpu, w->local_slots + depth, pfn);",
       "local_slot_addr(w, cpu, w->local_slots, pfn);",
       "to-device cache=vipt", "I4")
mutant("second page of a buffer left out", "src/dma_lines.c",
       "\tfor (; page < parts[n - 1].end; page += page_bytes) {",
       "\tfor (; page <= parts[0].start; page += page_bytes) {",
       "to-device", "I2")

# Memory orders (docs/design.md, section 9).

weaken("install() adds MAPPED: relaxed", "src/map.c",
       "pkmap_a32_add_release(&w->word[slot], WORD_MAPPED | WORD_USER)",
       "machine_atomic_add(&w->word[slot], 4, WORD_MAPPED | WORD_USER,\n"
       "\t\t\t   MACHINE_RELAXED)",
       "remap cpus=2", "I4")
weaken("word_add_user(): relaxed", "src/window_priv.h",
       "return pkmap_a32_add_acquire(word, WORD_USER);",
       "return (uint32_t)machine_atomic_add(word, 4, WORD_USER,\n"
       "\t\t\t\t\t    MACHINE_RELAXED);",
       "remap cpus=2", "I4")
weaken("word_take_user(): relaxed", "src/window_priv.h",
       TAKEN,
       "\t\tif (unlikely(!word_has_user(*old)))\n"
       "\t\t\treturn false;\n"
       "\t} while (!machine_atomic_cas(&word->v, old, *old - WORD_USER,\n"
       "\t\t\t\t\t      MACHINE_RELAXED));\n",
       "remap cpus=2", "I1")
weaken("word_take_user(): release", "src/window_priv.h",
       TAKEN,
       "\t\tif (unlikely(!word_has_user(*old)))\n"
       "\t\t\treturn false;\n"
       "\t} while (!pkmap_a32_cas_release(word, old, *old - WORD_USER));\n",
       "nested cpus=2", "I9")
weaken("mark(): relaxed", "src/reclaim.c",
       "return pkmap_a32_cas_acquire(word, &old, WORD_MAPPED | WORD_CLEANING);",
       "return machine_atomic_cas(&word->v, &old,\n"
       "\t\t\t\t  WORD_MAPPED | WORD_CLEANING, MACHINE_RELAXED);",
       "remap cpus=2", "I1")
weaken("waiters looked for: acquire", "src/window.c",
       "pkmap_a32_load_seq_cst(&w->waiters)",
       "pkmap_a32_load_acquire(&w->waiters)",
       "nested cpus=2", "I9")
weaken("waiter's fence left out", "src/map.c",
       "\tpkmap_fence_seq_cst();\n", "",
       "nested cpus=2", "I9")
weaken("waiter's fence: acquire", "src/map.c",
       "\tpkmap_fence_seq_cst();\n", "\tpkmap_fence_acquire();\n",
       "nested cpus=2", "I9")
weaken("claim(): relaxed", "src/reclaim.c",
       "pkmap_a32_cas_release(word, &old, 0)",
       "machine_atomic_cas(&word->v, &old, 0, MACHINE_RELAXED)",
       "ipi cpus=2 ipi=1", "I8")
weaken("install() stores the pfn: relaxed", "src/map.c",
       "pkmap_along_store_release(&w->pfn[slot], pfn)",
       "pkmap_along_store_relaxed(&w->pfn[slot], pfn)",
       "second-look cpus=2", "I8")
weaken("pkmap_push_free() stores no pfn: relaxed", "src/reclaim.c",
       "pkmap_along_store_release(&w->pfn[slot], PKMAP_NO_PFN)",
       "pkmap_along_store_relaxed(&w->pfn[slot], PKMAP_NO_PFN)",
       "remap cpus=2", "I8")
weaken("pkmap_index_remove() stores the link: relaxed", "src/index.c",
       "pkmap_a32_store_release(link, ", "pkmap_a32_store_relaxed(link, ",
       "ipi cpus=2 ipi=1", "I8")
weaken("no fence after a miss, slow path", "src/window.c",
       "\tpkmap_fence_acquire();\n\treturn PKMAP_NO_SLOT;",
       "\treturn PKMAP_NO_SLOT;",
       "remap cpus=2", "I8")
weaken("no fence after a miss, fast path", "src/window.c",
       "\t\tpkmap_fence_acquire();\n\t\treturn slot;", "\t\treturn slot;",
       "remap cpus=2", "I8")
weaken("pkmap_index_insert() stores head: relaxed", "src/index.c",
       "pkmap_a32_store_release(head, slot)",
       "pkmap_a32_store_relaxed(head, slot)",
       "recycle cache=vipt cpus=2", "I8")
weaken("index_walk() loads head: relaxed", "src/window_priv.h",
       "pkmap_a32_load_acquire(&w->head[bucket])",
       "pkmap_a32_load_relaxed(&w->head[bucket])",
       "recycle cache=vipt cpus=2", "I8")

# Forget, and unmap by the page's number.

mutant("forget does not look at local maps", "src/forget.c",
       "\t\tpfn = page_of_cpu(w, cpu_nr(w, nr), p);\n", "",
       "forget cpus=2 cache=vipt", "I3")
mutant("closing local map not seen by forget", "src/local.c",
       "&cleaning, LOCAL_CLEARING));", "&cleaning, LOCAL_CLOSED));",
       "forget cpus=2 cache=vipt", "I3")
mutant("end of a local map wakes nobody", "src/local.c",
       "\twake_for_local(w, pkmap_along_load_relaxed(&l->pfn));\n", "",
       "forget cpus=2 cache=vipt", "I9")
mutant("forget tears down what was used meanwhile", "src/forget.c",
       "\treturn page_in_slot(w, s, p, false);\n", "\treturn PKMAP_NO_PFN;\n",
       "forget", "I3")
mutant("forget sleeps without a last look", "src/forget.c",
       "\tif (page_in_use(w, slots_of(w, page), page) != PKMAP_NO_PFN)\n", "",
       "forget cpus=2 cache=vipt", "I9")
mutant("unmap_pfn() without the second look", "src/window_priv.h",
       "\t\tif (unlikely(!word_has_user(*old) ||\n"
       "\t\t\t     pkmap_along_load_relaxed(&w->pfn[slot]) != pfn))\n",
       "\t\tif (unlikely(!word_has_user(*old)))\n",
       "unmap-pfn", "I10")
mutant("unmap_pfn() looks at the word last", "src/window_priv.h",
       "\t\t*old = pkmap_a32_load_acquire(word);\n"
       "\t\tif (unlikely(!word_has_user(*old) ||\n"
       "\t\t\t     pkmap_along_load_relaxed(&w->pfn[slot]) != pfn))\n",
       "\t\tconst bool moved =\n"
       "\t\t\tpkmap_along_load_relaxed(&w->pfn[slot]) != pfn;\n"
       "\t\t*old = pkmap_a32_load_acquire(word);\n"
       "\t\tif (unlikely(!word_has_user(*old) || moved))\n",
       "unmap-pfn", "I10")
weaken("slot_take_user() loads the word: relaxed", "src/window_priv.h",
       "\t\t*old = pkmap_a32_load_acquire(word);\n"
       "\t\tif (unlikely(!word_has_user",
       "\t\t*old = pkmap_a32_load_relaxed(word);\n"
       "\t\tif (unlikely(!word_has_user",
       "unmap-pfn cpus=2 cache=vipt", "I10")
weaken("wake_for_local() without its fence", "src/window_priv.h",
       "\tpkmap_fence_seq_cst();\n"
       "\tif (unlikely(pkmap_a32_load_relaxed(&w->waiters)))\n",
       "\tif (unlikely(pkmap_a32_load_relaxed(&w->waiters)))\n",
       "forget cpus=2 cache=vipt", "I9")
weaken("pkmap_index_insert() stores next: relaxed", "src/index.c",
       "pkmap_a32_store_release(&w->next[slot], ",
       "pkmap_a32_store_relaxed(&w->next[slot], ",
       "carried cache=vipt cpus=2", "I8")
weaken("index_walk() loads next: relaxed", "src/window_priv.h",
       "link = pkmap_a32_load_acquire(&w->next[link])",
       "link = pkmap_a32_load_relaxed(&w->next[link])",
       "carried cache=vipt cpus=2", "I8")
weaken("pkmap_push_free() stores next: relaxed", "src/reclaim.c",
       "pkmap_a32_store_release(&w->next[slot], *top)",
       "pkmap_a32_store_relaxed(&w->next[slot], *top)",
       "carried cache=vipt cpus=2", "I8")
