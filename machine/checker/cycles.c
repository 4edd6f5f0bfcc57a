// SPDX-License-Identifier: MIT
/*
 * cycles.c - finds strongly connected components (Tarjan, SIAM J. Comput. 1,
 * 1972), without recursion, and checks which of them are livelocks.
 */
#include "cycles.h"

#include "states.h"

#include <stdlib.h>

struct edge {
	uint32_t to;
	struct action action;
};

struct edges {
	struct edge *edge;
	uint64_t n;
	uint64_t max;
	/* For each state up to the last one with edges: its first edge. */
	uint64_t *first;
	uint32_t nfirst;
	uint32_t max_first;
};

struct edges *edges_new(void)
{
	return calloc(1, sizeof(struct edges));
}

void edges_free(struct edges *e)
{
	if (!e)
		return;
	free(e->edge);
	free(e->first);
	free(e);
}

uint64_t edges_bytes(const struct edges *e)
{
	return e->max * sizeof(*e->edge) + e->max_first * sizeof(*e->first);
}

/* The next edge is from @from; states before it get no more edges. */
static int begin_state(struct edges *e, uint32_t from)
{
	uint64_t *first;

	while (e->nfirst <= from) {
		if (e->nfirst == e->max_first) {
			e->max_first = e->max_first ? e->max_first * 3 / 2 :
						      4096;
			first = realloc(e->first,
					e->max_first * sizeof(*first));
			if (!first)
				return -1;
			e->first = first;
		}
		e->first[e->nfirst++] = e->n;
	}
	return 0;
}

int edges_add(struct edges *e, uint32_t from, uint32_t to, struct action action)
{
	struct edge *edge;

	if (begin_state(e, from))
		return -1;
	if (e->n == e->max) {
		e->max = e->max ? e->max * 3 / 2 : 4096;
		edge = realloc(e->edge, e->max * sizeof(*edge));
		if (!edge)
			return -1;
		e->edge = edge;
	}
	e->edge[e->n].to = to;
	e->edge[e->n++].action = action;
	return 0;
}

static uint64_t edges_begin(const struct edges *e, uint32_t state)
{
	return state < e->nfirst ? e->first[state] : e->n;
}

static uint64_t edges_end(const struct edges *e, uint32_t state)
{
	return state + 1 < e->nfirst ? e->first[state + 1] : e->n;
}

struct visit {
	uint32_t state;
	uint64_t edge; /* the next one to follow */
};

/* The arrays have a place for each state. */
struct search {
	const struct edges *e;
	uint32_t *index; /* in order of first visits, from 1 on; 0: not yet */
	uint32_t *low;
	uint32_t *stack;
	struct visit *visits;
	uint32_t nstack;
	uint32_t nvisits;
	uint32_t next_index;
};

/* The index of a state whose component is known; above all others. */
#define IN_COMPONENT UINT32_MAX

static bool search_init(struct search *s, const struct edges *e,
			uint32_t nstates)
{
	*s = (struct search){ .e = e };
	s->index = calloc(nstates, sizeof(*s->index));
	s->low = calloc(nstates, sizeof(*s->low));
	s->stack = malloc(nstates * sizeof(*s->stack));
	s->visits = malloc(nstates * sizeof(*s->visits));
	return s->index && s->low && s->stack && s->visits;
}

uint64_t edges_search_bytes(uint32_t nstates)
{
	const struct search *s = NULL;

	return nstates * (sizeof(*s->index) + sizeof(*s->low) +
			  sizeof(*s->stack) + sizeof(*s->visits));
}

static void search_free(struct search *s)
{
	free(s->index);
	free(s->low);
	free(s->stack);
	free(s->visits);
}

static void visit(struct search *s, uint32_t state)
{
	s->index[state] = s->low[state] = ++s->next_index;
	s->stack[s->nstack++] = state;
	s->visits[s->nvisits++] =
		(struct visit){ state, edges_begin(s->e, state) };
}

/* Loads do not take old values for ever, so no cycle has such an edge. */
static bool is_old_value(const struct edge *edge)
{
	return edge->action.actor < ACTOR_INTERRUPT && edge->action.choice;
}

/* Whether @to is in the finished component of @first: they have one `low'. */
static bool is_member(const struct search *s, uint32_t first, uint32_t to)
{
	return to != NO_STATE && s->low[to] == s->low[first];
}

bool is_livelock(uint64_t always_could, uint64_t went)
{
	/* The cache is never obliged to do anything. */
	const uint64_t fair = ((uint64_t)1 << ACTOR_EVICT) - 1;

	return !(always_could & fair & ~went);
}

/* Whether the component has cycles, and going round in them is a livelock. */
static bool has_livelock(const struct search *s, const uint32_t *members,
			 uint32_t n)
{
	uint64_t always = UINT64_MAX;
	uint64_t inside = 0;
	uint64_t can;
	uint64_t i;
	uint32_t k;
	bool any = false;

	for (k = 0; k < n; k++) {
		can = 0;
		for (i = edges_begin(s->e, members[k]);
		     i < edges_end(s->e, members[k]); i++) {
			can |= (uint64_t)1 << s->e->edge[i].action.actor;
			if (is_old_value(&s->e->edge[i]) ||
			    !is_member(s, members[0], s->e->edge[i].to))
				continue;
			any = true;
			inside |= (uint64_t)1 << s->e->edge[i].action.actor;
		}
		always &= can;
	}
	return any && is_livelock(always, inside);
}

/* An interrupt rather than a task, and a task rather than the rest. */
uint8_t livelock_actor(const struct action *steps, uint32_t n)
{
	const struct action *found = steps;
	const struct action *a;

	for (a = steps; a < steps + n; a++) {
		if (a->actor < ACTOR_FLUSH &&
		    (found->actor >= ACTOR_FLUSH || run_is_interrupt(*a)))
			found = a;
	}
	return found->actor;
}

/* Searches breadth first, from the first member back to it. */
static int find_way_round(const struct search *s, const uint32_t *members,
			  uint32_t n, struct cycle *cycle)
{
	const uint32_t start = members[0];
	uint32_t *queue = malloc((n + 1) * sizeof(*queue));
	uint64_t *by = malloc((n + 1) * sizeof(*by));
	uint32_t *from = malloc((n + 1) * sizeof(*from));
	uint32_t nqueue = 1;
	uint32_t head;
	uint32_t at;
	uint32_t to;
	uint32_t k;
	uint64_t i;
	int found = -1;

	if (!queue || !by || !from)
		goto out;
	queue[0] = start;
	for (head = 0; head < nqueue; head++) {
		for (i = edges_begin(s->e, queue[head]);
		     i < edges_end(s->e, queue[head]); i++) {
			to = s->e->edge[i].to;
			if (is_old_value(&s->e->edge[i]) ||
			    !is_member(s, start, to))
				continue;
			if (to == start)
				goto found;
			for (k = 0; k < nqueue && queue[k] != to; k++)
				;
			if (k < nqueue)
				continue;
			from[nqueue] = head;
			by[nqueue] = i;
			queue[nqueue++] = to;
		}
	}
	goto out;
found:
	cycle->nsteps = 1;
	for (at = head; at; at = from[at])
		cycle->nsteps++;
	cycle->steps = calloc(cycle->nsteps, sizeof(*cycle->steps));
	if (!cycle->steps)
		goto out;
	k = cycle->nsteps;
	cycle->steps[--k] = s->e->edge[i].action;
	for (at = head; at; at = from[at])
		cycle->steps[--k] = s->e->edge[by[at]].action;
	cycle->state = start;
	cycle->actor = livelock_actor(cycle->steps, cycle->nsteps);
	found = 1;
out:
	free(queue);
	free(by);
	free(from);
	return found;
}

/* The component whose first state is @root is complete: pops it. */
static int end_component(struct search *s, uint32_t root, struct cycle *cycle)
{
	uint32_t first = s->nstack;
	uint32_t k;
	int found = 0;

	do {
		first--;
		s->low[s->stack[first]] = s->low[root];
	} while (s->stack[first] != root);
	if (has_livelock(s, s->stack + first, s->nstack - first))
		found = find_way_round(s, s->stack + first, s->nstack - first,
				       cycle);
	for (k = first; k < s->nstack; k++)
		s->index[s->stack[k]] = IN_COMPONENT;
	s->nstack = first;
	return found;
}

static void follow(struct search *s, uint32_t state, const struct edge *edge)
{
	const uint32_t to = edge->to;

	if (to == NO_STATE || s->index[to] == IN_COMPONENT ||
	    is_old_value(edge))
		return;
	if (!s->index[to])
		visit(s, to);
	else if (s->index[to] < s->low[state])
		s->low[state] = s->index[to];
}

static int search_from(struct search *s, uint32_t root, struct cycle *cycle)
{
	struct visit *v;
	uint32_t state;
	int found;

	visit(s, root);
	while (s->nvisits) {
		v = &s->visits[s->nvisits - 1];
		state = v->state;
		if (v->edge < edges_end(s->e, state)) {
			follow(s, state, &s->e->edge[v->edge++]);
			continue;
		}
		s->nvisits--;
		if (s->nvisits) {
			v = &s->visits[s->nvisits - 1];
			if (s->low[state] < s->low[v->state])
				s->low[v->state] = s->low[state];
		}
		if (s->low[state] != s->index[state])
			continue;
		found = end_component(s, state, cycle);
		if (found)
			return found;
	}
	return 0;
}

int edges_find_cycle(const struct edges *e, uint32_t nstates,
		     struct cycle *cycle)
{
	struct search s;
	uint32_t state;
	int found = -1;

	if (!search_init(&s, e, nstates))
		goto out;
	found = 0;
	for (state = 0; state < nstates && !found; state++) {
		if (!s.index[state])
			found = search_from(&s, state, cycle);
	}
out:
	search_free(&s);
	return found;
}
