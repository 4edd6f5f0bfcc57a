// SPDX-License-Identifier: MIT
/*
 * log.c - fills in a timeline during a run.
 */
#include "model.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* A cache line, as the timeline shows it. */
struct shown_line {
	uint8_t state; /* enum line_state */
	uint8_t page;
	char text[24];
	uint32_t row; /* 0: it was never cached; its row once rows are made */
	/* The change that gave it this page and state, and that step's lane. */
	uint32_t since;
	uint32_t by;
	/* Whether that change took the line from another page, and which. */
	bool taken;
	uint8_t from;
};

struct log {
	struct timeline *timeline;
	uint32_t max_events;
	uint32_t max_changes;
	uint32_t time;
	uint32_t lane; /* of the actor that makes the step */
	bool device_used;
	bool over;   /* something is broken; later events are not shown */
	bool failed; /* not enough memory */
	/* For each context: the call that begins with its next step, or "". */
	char begins[MAX_CONTEXTS][96];
	bool blocked[MAX_CONTEXTS];
	struct shown_line lines[MAX_CPUS][MAX_ENTRIES];
};

/* The open log, if there is one. */
static struct log the_log;

static uint32_t cache_lane(uint32_t cache)
{
	return m.ncontexts + cache;
}

static uint32_t device_lane(void)
{
	return m.ncontexts + m.ncaches;
}

static uint32_t lane_of_actor(uint8_t actor)
{
	if (actor < ACTOR_FLUSH)
		return actor % ACTOR_INTERRUPT;
	if (actor < ACTOR_DEADLINE)
		return m.current;
	if (actor < ACTOR_DEVICE)
		return actor - ACTOR_DEADLINE;
	if (actor == ACTOR_DEVICE)
		return device_lane();
	return cache_lane(actor < ACTOR_FILL ? actor - ACTOR_EVICT :
					       actor - ACTOR_FILL);
}

/* Grows the array if it is full.  NULL: no memory; the array stays as it is. */
static void *grow(struct log *log, void *array, uint32_t n, uint32_t *max,
		  size_t bytes)
{
	const uint32_t more = *max ? 2 * *max : 64;

	if (n < *max)
		return array;
	array = realloc(array, more * bytes);
	if (array)
		*max = more;
	else
		log->failed = true;
	return array;
}

static void add_event(struct log *log, uint32_t lane, enum event_kind kind,
		      const char *text)
{
	struct timeline *t = log->timeline;
	struct event *e =
		grow(log, t->events, t->nevents, &log->max_events, sizeof(*e));

	if (!e)
		return;
	t->events = e;
	e += t->nevents++;
	e->time = log->time;
	e->lane = lane;
	e->kind = kind;
	snprintf(e->text, sizeof(e->text), "%s", text);
}

static void add_begin(struct log *log, uint32_t lane)
{
	if (lane >= m.ncontexts || !log->begins[lane][0])
		return;
	add_event(log, lane, EVENT_BEGIN, log->begins[lane]);
	log->begins[lane][0] = '\0';
}

/*
 * Cache lines.
 */

static bool is_outdated(const struct entry *e, uint32_t line)
{
	const uint8_t *written = &m.hw.written[e->page][line * line_bytes()];
	uint32_t k;

	for (k = 0; k < line_bytes(); k++) {
		if (written[k] && written[k] != e->data[k])
			return true;
	}
	return false;
}

static enum line_state state_of(const struct entry *e, uint32_t line)
{
	if (!e->valid)
		return LINE_ABSENT;
	if (e->dirty)
		return is_outdated(e, line) ? LINE_BAD : LINE_DIRTY;
	return is_outdated(e, line) ? LINE_STALE : LINE_CLEAN;
}

/* On a VIVT cache, the name of a line's row does not say which page it has. */
static void describe_line(const struct entry *e, char text[24])
{
	int n = 0;
	uint32_t k;

	text[0] = '\0';
	if (!e->valid)
		return;
	if (is_vivt())
		n = snprintf(text, 24, "page %u:", e->page);
	for (k = 0; k < line_bytes(); k++)
		n += snprintf(text + n, 24 - (size_t)n, "%s%02x", n ? " " : "",
			      e->data[k]);
}

static void name_row(struct row *row, uint32_t nr)
{
	const uint32_t pages = m.config.npages;
	const uint32_t page = nr / lines_per_page();
	const uint32_t line = nr % lines_per_page();

	if (is_vivt())
		snprintf(row->name, sizeof(row->name), "slot %u, line %u", page,
			 line);
	else if (m.config.cache.colours > 1)
		snprintf(row->name, sizeof(row->name),
			 "page %u, line %u, c. %u", page % pages, line,
			 page / pages);
	else
		snprintf(row->name, sizeof(row->name), "page %u, line %u", page,
			 line);
}

static void add_change(struct log *log, uint32_t row,
		       const struct shown_line *shown)
{
	struct timeline *t = log->timeline;
	struct line_change *c = grow(log, t->changes, t->nchanges,
				     &log->max_changes, sizeof(*c));

	if (!c)
		return;
	t->changes = c;
	c += t->nchanges++;
	c->time = log->time;
	c->row = row;
	c->state = shown->state;
	memcpy(c->text, shown->text, sizeof(c->text));
}

/* Until make_rows(), a row's number stands for the cache and the entry. */
static void log_lines(struct log *log, uint32_t cache)
{
	const struct entry *e;
	struct shown_line *shown;
	struct shown_line now;
	uint32_t nr;

	for (nr = 0; nr < entries(); nr++) {
		e = &m.hw.cache[cache].entry[nr];
		shown = &log->lines[cache][nr];
		now = *shown;
		now.state = (uint8_t)state_of(e, nr % lines_per_page());
		if (e->valid)
			now.page = e->page;
		describe_line(e, now.text);
		if (now.state == shown->state && !strcmp(now.text, shown->text))
			continue;
		if (now.state != shown->state || now.page != shown->page) {
			now.since = log->timeline->nchanges;
			now.by = log->time ? log->lane : cache_lane(cache);
			now.taken = now.row && now.page != shown->page;
			now.from = shown->page;
		}
		now.row = 1;
		*shown = now;
		add_change(log, cache * MAX_ENTRIES + nr, shown);
	}
}

static void log_caches(struct log *log)
{
	uint32_t cache;

	for (cache = 0; cache < m.ncaches; cache++)
		log_lines(log, cache);
}

/*
 * The cause: the moment at which the line that did harm got into its state.
 */

/* With physical tags, maintenance works on the page that the slot shows now. */
static void describe_way(const struct log *log, char text[32])
{
	const struct op *op = &m.hw.context[log->lane].op;

	text[0] = '\0';
	if (log->lane < m.ncontexts && op->kind == OP_LINE && !is_vivt())
		snprintf(text, 32, ", and slot %u leads to it", op->slot);
}

static void describe_cause(const struct log *log, const struct shown_line *line,
			   const char *name, char text[96])
{
	char way[32];

	if (line->state == LINE_BAD) {
		snprintf(text, 96, "the cause: %s will now overwrite page %u",
			 name, line->page);
	} else if (line->taken) {
		snprintf(text, 96,
			 "the cause: %s is page %u's now, not page %u's", name,
			 line->page, line->from);
	} else {
		describe_way(log, way);
		snprintf(text, 96, "the cause: %s is %s now%s", name,
			 state_text(line->state), way);
	}
}

/* Inserts it after the events of its time. */
static void insert_event(struct log *log, const struct event *event)
{
	struct timeline *t = log->timeline;
	uint32_t at = t->nevents;

	add_event(log, event->lane, event->kind, event->text);
	if (log->failed)
		return;
	while (at && t->events[at - 1].time > event->time)
		at--;
	memmove(&t->events[at + 1], &t->events[at],
		(t->nevents - 1 - at) * sizeof(*event));
	t->events[at] = *event;
}

static void add_cause(struct log *log)
{
	struct event cause = { .kind = EVENT_CAUSE };
	const struct shown_line *line;
	struct row row;
	uint32_t nr;

	if (log->failed || !m.line ||
	    (m.broken.verdict != VERDICT_DATA_LOSS &&
	     m.broken.verdict != VERDICT_STALE_READ))
		return;
	nr = (uint32_t)(m.line - m.hw.cache[0].entry);
	line = &log->lines[nr / MAX_ENTRIES][nr % MAX_ENTRIES];
	if (line->state == LINE_ABSENT)
		return;
	cause.time = log->timeline->changes[line->since].time;
	cause.lane = line->by;
	log->timeline->cause_row = nr;
	name_row(&row, nr % MAX_ENTRIES);
	describe_cause(log, line, row.name, cause.text);
	insert_event(log, &cause);
}

void log_event(int lane, enum event_kind kind, const char *format, ...)
{
	struct log *log = &the_log;
	char text[sizeof(((struct event *)NULL)->text)];
	uint32_t nr = (uint32_t)lane;
	va_list args;

	if (!log->timeline || m.preparing || log->over)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log->over = kind == EVENT_BROKEN;
	if (kind == EVENT_BROKEN)
		nr = log->lane;
	else if (lane == DEVICE_LANE)
		nr = device_lane();
	else if (lane < 0)
		nr = cache_lane((uint32_t)(-1 - lane));
	if (log->over)
		add_cause(log);
	add_begin(log, nr);
	/*
	 * A context gives way in a call, not before it, so a call that begins
	 * now is part of the next step.
	 */
	if (kind == EVENT_BEGIN)
		strcpy(log->begins[nr], text);
	else
		add_event(log, nr, kind, text);
}

/* Makes rows for the lines that were ever cached. */
static int make_rows(struct log *log)
{
	struct timeline *t = log->timeline;
	struct shown_line *shown;
	uint32_t cache;
	uint32_t k;

	t->rows = calloc(m.ncaches * entries(), sizeof(*t->rows));
	if (!t->rows)
		return -1;
	for (k = 0; k < m.ncaches * MAX_ENTRIES; k++) {
		cache = k / MAX_ENTRIES;
		shown = &log->lines[cache][k % MAX_ENTRIES];
		if (!shown->row)
			continue;
		t->rows[t->nrows].lane = cache_lane(cache);
		name_row(&t->rows[t->nrows], k % MAX_ENTRIES);
		shown->row = t->nrows++;
	}
	for (k = 0; k < t->nchanges; k++) {
		shown = &log->lines[t->changes[k].row / MAX_ENTRIES]
				   [t->changes[k].row % MAX_ENTRIES];
		t->changes[k].row = shown->row;
	}
	shown = &log->lines[t->cause_row / MAX_ENTRIES]
			   [t->cause_row % MAX_ENTRIES];
	t->cause_row = shown->row;
	return 0;
}

/*
 * Contexts that wait for a lock.
 */

static const char *waits_for(uint32_t nr)
{
	const struct context *c = &m.hw.context[nr];

	if (c->state == CONTEXT_READY && context_is_blocked(c)) {
		if (c->op.kind == OP_LOCK)
			return "waits for the lock";
		if (c->op.kind == OP_SPIN)
			return "spins on the lock";
	}
	return NULL;
}

static void log_waits(struct log *log)
{
	const char *text;
	uint32_t nr;

	for (nr = 0; nr < m.ncontexts; nr++) {
		text = waits_for(nr);
		if (!text || log->blocked[nr])
			continue;
		log->blocked[nr] = true;
		add_begin(log, nr);
		add_event(log, nr, EVENT_BLOCK, text);
	}
}

void log_open(struct timeline *timeline)
{
	memset(&the_log, 0, sizeof(the_log));
	memset(timeline, 0, sizeof(*timeline));
	the_log.timeline = timeline;
}

void log_before_step(struct action action)
{
	struct log *log = &the_log;

	log->time++;
	m.line = NULL;
	log->lane = lane_of_actor(action.actor);
	if (action.actor == ACTOR_DEVICE)
		log->device_used = true;
	if (action.actor >= ACTOR_INTERRUPT)
		return;
	add_begin(log, log->lane);
	if (log->blocked[log->lane])
		add_event(log, log->lane, EVENT_GO_ON, "gets it");
	log->blocked[log->lane] = false;
}

void log_after_step(void)
{
	log_caches(&the_log);
	log_waits(&the_log);
}

void log_end(void)
{
	uint32_t nr;

	m.line = NULL;
	for (nr = 0; nr < m.ncontexts; nr++) {
		if (m.hw.context[nr].state == CONTEXT_READY ||
		    m.hw.context[nr].state == CONTEXT_ASLEEP) {
			the_log.lane = nr;
			return;
		}
	}
}

static void name_lanes(struct log *log)
{
	struct timeline *t = log->timeline;
	struct lane *lane = t->lanes;
	uint32_t k;

	for (k = 0; k < m.ncontexts; k++, lane++) {
		lane->kind = m.info[k].kind;
		lane->cpu = m.config.ncpus > 1 ? m.info[k].cpu : -1;
		memcpy(lane->name, m.info[k].name, sizeof(lane->name));
	}
	for (k = 0; k < m.ncaches; k++, lane++) {
		lane->kind = LANE_CACHE;
		lane->cpu = m.config.own_caches ? (int)k : -1;
		snprintf(lane->name, sizeof(lane->name), "cache");
	}
	lane->kind = LANE_DEVICE;
	lane->cpu = -1;
	snprintf(lane->name, sizeof(lane->name), "device");
	t->nlanes = device_lane() + log->device_used;
}

int log_close(void)
{
	struct timeline *t = the_log.timeline;
	int err = -1;

	t->end = the_log.time + 1;
	t->lanes = calloc(device_lane() + 1, sizeof(*t->lanes));
	if (t->lanes && !the_log.failed) {
		name_lanes(&the_log);
		err = make_rows(&the_log);
	}
	the_log.timeline = NULL;
	return err;
}
