// SPDX-License-Identifier: MIT
/*
 * timeline.c - the writers of a timeline, on timelines made by hand: the
 * sequence in which a look-up that holds nothing loses data, and the same with
 * a pin.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <cairo.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "machine/timeline/timeline.h"

#define N(array) (uint32_t)(sizeof(array) / sizeof((array)[0]))

#define CAUSE	 "the cause: slot 0, line 1 is page 1's now"
#define LOSS	 "the lines of page 1 are thrown away: 13 14 is lost"

enum { DRIVER, OTHER, IRQ, CACHE, DEVICE };

static struct lane lanes[] = {
	[DRIVER] = { LANE_TASK, "driver", 0 },
	[OTHER] = { LANE_TASK, "other task", 0 },
	[IRQ] = { LANE_INTERRUPT, "interrupt", 0 },
	[CACHE] = { LANE_CACHE, "cache", 0 },
	[DEVICE] = { LANE_DEVICE, "device", -1 },
};

static struct row rows[] = {
	{ CACHE, "slot 0, line 0" },
	{ CACHE, "slot 0, line 1" },
	{ CACHE, "slot 1, line 0" },
	{ CACHE, "slot 1, line 1" },
};

static struct event lost_events[] = {
	{ 1, DRIVER, EVENT_BEGIN, "gives page 0 to the device" },
	{ 2, DRIVER, EVENT_NOTE, "looks page 0 up: slot 0" },
	{ 3, DRIVER, EVENT_NOTE, "invalidates line 0 of slot 0" },
	{ 4, DRIVER, EVENT_NOTE, "is preempted" },
	{ 5, OTHER, EVENT_BEGIN, "maps page 1" },
	{ 6, OTHER, EVENT_BEGIN, "reclaims" },
	{ 7, OTHER, EVENT_NOTE, "cleans slot 0: page 0 is idle" },
	{ 8, IRQ, EVENT_ENTER, "timer" },
	{ 9, IRQ, EVENT_LEAVE, "" },
	{ 10, OTHER, EVENT_NOTE, "clears slot 0 and flushes the TLB" },
	{ 11, OTHER, EVENT_END, "slot 0 is free" },
	{ 12, OTHER, EVENT_NOTE, "shows page 1 in slot 0" },
	{ 13, OTHER, EVENT_END, "page 1 is mapped in slot 0" },
	{ 20, OTHER, EVENT_NOTE, "stores 11 12" },
	{ 21, OTHER, EVENT_NOTE, "stores 13 14" },
	{ 21, OTHER, EVENT_CAUSE, CAUSE },
	{ 22, OTHER, EVENT_BEGIN, "unmaps page 1" },
	{ 22, OTHER, EVENT_END, "" },
	{ 23, DRIVER, EVENT_NOTE, "runs again" },
	{ 24, DRIVER, EVENT_NOTE, "invalidates line 1 of slot 0" },
	{ 24, DRIVER, EVENT_BROKEN, LOSS },
	{ 25, DRIVER, EVENT_END, "page 0 is the device's" },
	{ 26, DEVICE, EVENT_BEGIN, "a transfer to page 0" },
	{ 27, DEVICE, EVENT_NOTE, "writes 21 22 23 24" },
	{ 28, DEVICE, EVENT_END, "" },
	{ 29, OTHER, EVENT_BEGIN, "takes page 1 for good" },
};

static struct line_change lost_changes[] = {
	{ 0, 0, LINE_CLEAN, "page 0: 1 2" },
	{ 0, 1, LINE_CLEAN, "page 0: 3 4" },
	{ 0, 2, LINE_STALE, "page 2: 5 6" },
	{ 0, 3, LINE_BAD, "page 2: 7 8" },
	{ 3, 0, LINE_ABSENT, "" },
	{ 7, 1, LINE_ABSENT, "" },
	{ 20, 0, LINE_DIRTY, "page 1: 11 12" },
	{ 21, 1, LINE_DIRTY, "page 1: 13 14" },
	{ 24, 1, LINE_ABSENT, "" },
};

static const struct timeline lost = {
	.title = "rfc, unpinned: VIVT, 1 CPU, 2 lines a page",
	.verdict = "data loss (I1)",
	.broken = true,
	.lanes = lanes,
	.nlanes = N(lanes),
	.rows = rows,
	.nrows = N(rows),
	.cause_row = 1,
	.events = lost_events,
	.nevents = N(lost_events),
	.changes = lost_changes,
	.nchanges = N(lost_changes),
	.end = 31,
};

static struct event saved_events[] = {
	{ 1, DRIVER, EVENT_BEGIN, "gives page 0 to the device" },
	{ 2, DRIVER, EVENT_NOTE, "pins page 0: slot 0" },
	{ 3, DRIVER, EVENT_NOTE, "invalidates line 0 of slot 0" },
	{ 5, OTHER, EVENT_BEGIN, "maps page 1" },
	{ 6, OTHER, EVENT_BEGIN, "reclaims" },
	{ 7, OTHER, EVENT_END, "none: slot 0 is in use" },
	{ 8, OTHER, EVENT_BLOCK, "waits for a slot" },
	{ 9, DRIVER, EVENT_NOTE, "invalidates line 1 of slot 0" },
	{ 10, DRIVER, EVENT_NOTE, "unpins page 0 and wakes who waits" },
	{ 11, DRIVER, EVENT_END, "page 0 is the device's" },
	{ 12, OTHER, EVENT_GO_ON, "is woken" },
	{ 14, OTHER, EVENT_NOTE, "shows page 1 in slot 0" },
	{ 15, OTHER, EVENT_END, "page 1 is mapped in slot 0" },
	{ 16, OTHER, EVENT_NOTE, "stores 11 12" },
	{ 17, DEVICE, EVENT_NOTE, "writes 21 22 23 24 to page 0" },
};

static struct line_change saved_changes[] = {
	{ 0, 0, LINE_CLEAN, "page 0: 1 2" },
	{ 0, 1, LINE_CLEAN, "page 0: 3 4" },
	{ 3, 0, LINE_ABSENT, "" },
	{ 9, 1, LINE_ABSENT, "" },
	{ 16, 0, LINE_DIRTY, "page 1: 11 12" },
};

static const struct timeline saved = {
	.title = "rfc, pkmap: VIVT, 1 CPU, 2 lines a page",
	.verdict = "clean",
	.lanes = lanes,
	.nlanes = N(lanes),
	.rows = rows,
	.nrows = 2,
	.events = saved_events,
	.nevents = N(saved_events),
	.changes = saved_changes,
	.nchanges = N(saved_changes),
	.end = 18,
};

/*
 * A small timeline with all that a list must show: nested spans, one that ends
 * with the span around it, an end without a beginning, and a span that never
 * ends; changes of lines with an event and without; a text that is too long for
 * a line.
 */
static struct lane small_lanes[] = {
	{ LANE_TASK, "task", 0 },
	{ LANE_INTERRUPT, "interrupt", -1 },
	{ LANE_CACHE, "cache", -1 },
};

static struct row small_rows[] = { { 2, "slot 0, line 1" } };

static struct line_change small_changes[] = {
	{ 0, 0, LINE_CLEAN, "page 0: 11 12" },
	{ 3, 0, LINE_BAD, "page 0: 11 12" },
	{ 5, 0, LINE_ABSENT, "" },
};

static struct event small_events[] = {
	{ 1, 0, EVENT_END, "has not begun" },
	{ 2, 0, EVENT_BEGIN, "call" },
	{ 3, 0, EVENT_BEGIN, "inner call" },
	{ 3, 0, EVENT_BLOCK, "sleeps" },
	{ 3, 0, EVENT_CAUSE, "the cause: it is outdated" },
	{ 4, 1, EVENT_ENTER, "timer" },
	{ 5, 1, EVENT_NOTE, "cleans and invalidates all the lines of slot 0" },
	{ 5, 1, EVENT_BROKEN, "it is lost" },
	{ 6, 1, EVENT_LEAVE, "" },
	{ 7, 0, EVENT_GO_ON, "is woken" },
	{ 8, 0, EVENT_BLOCK, "" },
	{ 9, 0, EVENT_END, "out of the inner call" },
	{ 12, 0, EVENT_BLOCK, "for ever" },
};

static const struct timeline small = {
	.title =
		"small: a title that does not fit into one line of such a width",
	.verdict = "deadlock (I7)",
	.broken = true,
	.lanes = small_lanes,
	.nlanes = N(small_lanes),
	.rows = small_rows,
	.nrows = N(small_rows),
	.events = small_events,
	.nevents = N(small_events),
	.changes = small_changes,
	.nchanges = N(small_changes),
	.end = 14,
};

static const struct timeline empty = { .title = "empty", .verdict = "clean" };

#define SMALL_WIDTH 60

static const char small_text[] =
	"small: a title that does not fit into one line of such a\n"
	"width\n"
	"\n"
	"step  who           what happens; ->: what a cache line is\n"
	"                    then\n"
	"----  ------------  ----------------------------------------\n"
	"   0  cache         slot 0, line 1: clean, page 0: 11 12\n"
	"   1  task (CPU 0)  has not begun\n"
	"   2                call:\n"
	"   3                  inner call:\n"
	"                        sleeps\n"
	"                          -> slot 0, line 1: dirty and\n"
	"                             outdated, page 0: 11 12\n"
	" ***                the cause: it is outdated\n"
	"   4  interrupt     timer:\n"
	"   5                  cleans and invalidates all the lines\n"
	"                          of slot 0\n"
	"                        -> slot 0, line 1: not cached\n"
	" ***                it is lost\n"
	"   6\n"
	"   7  task (CPU 0)        is woken\n"
	"   8\n"
	"   9                    out of the inner call\n"
	"  12                  for ever\n";

static char dir[] = "/tmp/timeline.XXXXXX";
static char path[sizeof(dir) + 16];

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static const char *in_dir(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static FILE *create(const char *name)
{
	FILE *file = fopen(in_dir(name), "w");

	assert_non_null(file);
	return file;
}

static void written(FILE *file, int err)
{
	assert_int_equal(err, 0);
	assert_int_equal(fclose(file), 0);
}

/*
 * The text.
 */

/* To be freed. */
static char *printed(const struct timeline *t, int width)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	assert_non_null(out);
	assert_int_equal(timeline_print(t, width, out), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void text_small(void **state)
{
	char *text = printed(&small, SMALL_WIDTH);

	(void)state;
	assert_string_equal(text, small_text);
	free(text);
}

/* @bytes: -1 for all. */
static void append(char *to, const char *words, int bytes)
{
	sprintf(to + strlen(to), "%s%.*s", to[0] ? " " : "", bytes, words);
}

#define WIDE 400 /* nothing is wrapped */

/* Finds @words from @at on; returns the place after them. */
static const char *after(const char *at, const char *words)
{
	at = strstr(at, words);
	if (!at)
		print_error("no '%s'\n", words);
	assert_non_null(at);
	return at + strlen(words);
}

/* The list has everything, in order. */
static void check_said(const struct timeline *t)
{
	static const char *const states[] = { "not cached", "clean", "dirty",
					      "stale", "dirty and outdated" };
	char *text = printed(t, WIDE);
	const char *at = text;
	char change[96];
	uint32_t i;

	for (i = 0; i < t->nevents; i++)
		at = after(at, t->events[i].text);
	at = text;
	for (i = 0; i < t->nchanges; i++) {
		snprintf(change, sizeof(change), "%s: %s%s%s\n",
			 t->rows[t->changes[i].row].name,
			 states[t->changes[i].state],
			 t->changes[i].text[0] ? ", " : "", t->changes[i].text);
		at = after(at, change);
	}
	free(text);
}

static void text_said(void **state)
{
	(void)state;
	check_said(&lost);
	check_said(&saved);
}

static void text_steps(void **state)
{
	char *text = printed(&saved, 80);
	char steps[256] = "";
	const char *line;

	(void)state;
	for (line = strstr(text, "\n----"); *++line; line = strchr(line, '\n'))
		if (strncmp(line, "    ", 4) != 0)
			append(steps, line + strspn(line, " "),
			       (int)strcspn(line + strspn(line, " "), " "));
	assert_string_equal(steps,
			    "---- 0 1 2 3 5 6 7 8 9 10 11 12 14 15 16 17");
	free(text);
}

/* An actor is named only if the line before is about another one. */
static void text_turns(void **state)
{
	char *text = printed(&saved, 80);
	const char *at = text;

	(void)state;
	at = after(at, "\n   0  cache (CPU 0)       slot 0, line 0: clean");
	at = after(at, "\n                          slot 0, line 1: clean");
	at = after(at, "\n   1  driver (CPU 0)      gives page 0");
	at = after(at, "\n   2                        pins page 0");
	at = after(at, "\n   5  other task (CPU 0)  maps page 1:");
	at = after(at, "\n   9  driver (CPU 0)        invalidates");
	at = after(at, "\n  11                        page 0 is the device's");
	at = after(at, "\n  12  other task (CPU 0)      is woken");
	free(text);
}

/* If there are several caches, each is named. */
static void text_caches(void **state)
{
	struct lane two_lanes[] = { { LANE_CACHE, "cache", 0 },
				    { LANE_CACHE, "cache", 1 } };
	struct row row = { 1, "page 0, line 0" };
	struct event event = { 1, 0, EVENT_NOTE, "fills it" };
	struct line_change change = { 1, 0, LINE_CLEAN, "11 12" };
	const struct timeline t = { .lanes = two_lanes,
				    .nlanes = 2,
				    .rows = &row,
				    .nrows = 1,
				    .events = &event,
				    .nevents = 1,
				    .changes = &change,
				    .nchanges = 1 };
	char *text = printed(&t, 80);

	(void)state;
	after(text, "-> cache (CPU 1), page 0, line 0: clean, 11 12");
	free(text);
}

static void text_marks(void **state)
{
	char *text = printed(&lost, 80);
	const char *at;

	(void)state;
	at = after(text, "page 1: 13 14\n ***");
	at = after(at, CAUSE "\n  22 ");
	at = after(at, "not cached\n ***");
	after(at, LOSS "\n  25 ");
	free(text);
	text = printed(&saved, 80);
	assert_null(strstr(text, "***"));
	free(text);
}

/* Removes blanks, and the rule under the title. */
static void remove_blanks(char *text)
{
	char *to = text;

	for (; *text; text++)
		if (!strchr(" -\n", *text))
			*to++ = *text;
	*to = '\0';
}

#define NARROW 50 /* leaves room for what happens next to who does it */

/* No line is longer than @width or ends in blanks, and nothing is missing. */
static void check_width(const struct timeline *t, int width, const char *said)
{
	char *text = printed(t, width);
	const char *line;
	size_t bytes;

	for (line = text; *line; line += bytes + 1) {
		bytes = strcspn(line, "\n");
		assert_in_range(bytes, 0, width);
		assert_false(bytes && line[bytes - 1] == ' ');
	}
	remove_blanks(text);
	assert_string_equal(text, said);
	free(text);
}

#define WORD "a_word_that_is_too_long_for_a_line_of_any_width_which_is_tried"

static void check_widths(const struct timeline *t)
{
	char *said = printed(t, WIDE);
	int width;

	remove_blanks(said);
	for (width = NARROW; width <= 100; width++)
		check_width(t, width, said);
	free(said);
}

static void text_width(void **state)
{
	struct timeline words = small;
	struct event event = { 1, 0, EVENT_NOTE, "short " WORD };

	(void)state;
	check_widths(&lost);
	check_widths(&saved);
	words.events = &event;
	words.nevents = 1;
	check_widths(&words);
}

/*
 * The trace.
 */

/* To be given back. */
static json_t *traced(const struct timeline *t)
{
	FILE *out = create("trace");
	json_t *trace;

	written(out, timeline_trace(t, out));
	trace = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(trace);
	assert_int_equal(unlink(path), 0);
	return trace;
}

static bool is(const json_t *event, const char *key, const char *text)
{
	const char *value = json_string_value(json_object_get(event, key));

	return value && !strcmp(value, text);
}

static json_int_t number(const json_t *event, const char *key)
{
	const json_t *value = json_object_get(event, key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

/* The only event with this phase and name. */
static const json_t *find(const json_t *trace, const char *phase,
			  const char *name)
{
	const json_t *list = json_object_get(trace, "traceEvents");
	const json_t *found = NULL;
	const json_t *event;
	size_t i;

	json_array_foreach(list, i, event)
	{
		if (!is(event, "ph", phase) || !is(event, "name", name))
			continue;
		assert_null(found);
		found = event;
	}
	if (!found)
		print_error("no %s %s\n", phase, name);
	assert_non_null(found);
	return found;
}

/* The name that the metadata give to the track of an event. */
static const char *track_of(const json_t *trace, const json_t *event,
			    const char *kind)
{
	const json_t *list = json_object_get(trace, "traceEvents");
	const json_t *meta;
	size_t i;

	json_array_foreach(list, i, meta)
	{
		if (is(meta, "ph", "M") && is(meta, "name", kind) &&
		    number(meta, "pid") == number(event, "pid") &&
		    (!strcmp(kind, "process_name") ||
		     number(meta, "tid") == number(event, "tid")))
			return json_string_value(json_object_get(
				json_object_get(meta, "args"), "name"));
	}
	return "none";
}

#define MAX_TRACKS 64

struct track {
	json_int_t at;	  /* nothing may begin or end before this */
	json_int_t begun; /* no span may end at this time */
	unsigned int open;
	unsigned int ended;
};

static void check_nesting(struct track *track, const json_t *event)
{
	const json_int_t at = number(event, "ts");

	assert_true(at >= track->at);
	track->at = at;
	if (is(event, "ph", "B")) {
		track->open++;
		track->begun = at;
	}
	if (is(event, "ph", "X"))
		track->at += number(event, "dur");
	if (!is(event, "ph", "E"))
		return;
	assert_true(track->open > 0 && at > track->begun);
	track->open--;
	track->ended++;
}

/* Each span ends on its track, after its beginning.  Returns their number. */
static unsigned int check_tracks(const json_t *trace)
{
	const json_t *list = json_object_get(trace, "traceEvents");
	struct track tracks[MAX_TRACKS] = { 0 };
	const json_t *event;
	unsigned int ended = 0;
	size_t i;

	json_array_foreach(list, i, event)
	{
		assert_in_range(number(event, "tid"), 0, MAX_TRACKS - 1);
		if (!is(event, "ph", "M"))
			check_nesting(&tracks[number(event, "tid")], event);
	}
	for (i = 0; i < MAX_TRACKS; i++) {
		assert_int_equal(tracks[i].open, 0);
		ended += tracks[i].ended;
	}
	return ended;
}

static void trace_nests(void **state)
{
	json_t *trace = traced(&lost);

	(void)state;
	assert_int_equal(check_tracks(trace), 7);
	json_decref(trace);
	trace = traced(&small);
	assert_int_equal(check_tracks(trace), 6);
	json_decref(trace);
}

static void check_event(const json_t *trace, const struct timeline *t,
			const struct event *e)
{
	static const char *const phases[] = {
		[EVENT_NOTE] = "X",  [EVENT_BEGIN] = "B",  [EVENT_ENTER] = "B",
		[EVENT_BLOCK] = "B", [EVENT_BROKEN] = "i", [EVENT_CAUSE] = "i"
	};
	const char *track;
	const json_t *event;

	if (e->kind == EVENT_END || e->kind == EVENT_GO_ON ||
	    e->kind == EVENT_LEAVE)
		return;
	event = find(trace, phases[e->kind], e->text);
	track = track_of(trace, event, "thread_name");
	assert_int_equal(number(event, "ts") / 1000, e->time);
	assert_memory_equal(track, t->lanes[e->lane].name,
			    strlen(t->lanes[e->lane].name));
}

static void trace_events(void **state)
{
	json_t *trace = traced(&lost);
	const json_t *loss = find(trace, "i", LOSS);
	uint32_t i;

	(void)state;
	for (i = 0; i < lost.nevents; i++)
		check_event(trace, &lost, &lost.events[i]);
	assert_true(is(loss, "s", "g"));
	assert_string_equal(track_of(trace, loss, "process_name"), lost.title);
	json_decref(trace);
}

static void trace_lines(void **state)
{
	json_t *trace = traced(&lost);
	const json_t *line = find(trace, "X", "dirty, page 1: 13 14");

	(void)state;
	assert_int_equal(number(line, "ts"), 21000);
	assert_int_equal(number(line, "dur"), 3000);
	assert_string_equal(track_of(trace, line, "thread_name"),
			    "slot 0, line 1");
	assert_string_equal(track_of(trace, line, "process_name"),
			    "cache (CPU 0)");
	line = find(trace, "X", "dirty, page 1: 11 12");
	assert_int_equal(number(line, "ts") + number(line, "dur"), 31000);
	json_decref(trace);
}

/* Spans that never end are ended with the run; there are two. */
static void trace_end(void **state)
{
	json_t *trace = traced(&small);
	const json_t *list = json_object_get(trace, "traceEvents");
	const json_t *event;
	int ended = 0;
	size_t i;

	(void)state;
	json_array_foreach(list, i, event)
	{
		if (is(json_object_get(event, "args"), "end", "never ends")) {
			assert_int_equal(number(event, "ts"), 14000);
			ended++;
		}
	}
	assert_int_equal(ended, 2);
	assert_true(is(json_object_get(trace, "otherData"), "verdict",
		       small.verdict));
	json_decref(trace);
}

/*
 * The pictures.
 */

#define MARGIN 16
#define LEFT   (MARGIN + 4) /* left of the lanes, among the step numbers */

/* The colours of the picture. */
#define RED    0xd11721
#define GREEN  0x0d734a
#define CLEAN  0x8fd4ba
#define DIRTY  0xf7b540
#define STALE  0xebe0f2
#define BAD    0xa80f1a
#define WHITE  0xffffff

typedef int draw_fn(const struct timeline *t, FILE *out);

/* To be given back. */
static cairo_surface_t *load(void)
{
	cairo_surface_t *png = cairo_image_surface_create_from_png(path);

	assert_int_equal(cairo_surface_status(png), CAIRO_STATUS_SUCCESS);
	assert_int_equal(unlink(path), 0);
	return png;
}

static cairo_surface_t *drawn(const struct timeline *t)
{
	FILE *out = create("png");

	written(out, timeline_draw_png(t, out));
	return load();
}

static uint32_t pixel(cairo_surface_t *png, int x, int y)
{
	const unsigned char *data = cairo_image_surface_get_data(png);
	uint32_t value;

	assert_in_range(x, 0, cairo_image_surface_get_width(png) - 1);
	assert_in_range(y, 0, cairo_image_surface_get_height(png) - 1);
	data += y * cairo_image_surface_get_stride(png);
	memcpy(&value, data + x * 4, sizeof(value));
	return value & 0xffffff;
}

/* The first row of this colour; -1: none. */
static int row_of(cairo_surface_t *png, int x, int from, uint32_t colour)
{
	int y;

	for (y = from; y < cairo_image_surface_get_height(png); y++)
		if (pixel(png, x, y) == colour)
			return y;
	return -1;
}

static int loss_row(cairo_surface_t *png)
{
	return row_of(png, LEFT, 0, RED);
}

/* Looks below the row of the loss, if there is one. */
static int verdict_row(cairo_surface_t *png, int x, uint32_t colour, bool loss)
{
	int from = 0;

	if (loss)
		from = row_of(png, x, 0, RED) + 10;
	return row_of(png, x, from, colour);
}

static void picture_verdict(void **state)
{
	cairo_surface_t *png = drawn(&lost);
	int verdict;

	(void)state;
	assert_true(loss_row(png) > 0);
	assert_true(verdict_row(png, LEFT, RED, true) > 0);
	cairo_surface_destroy(png);
	png = drawn(&saved);
	verdict = verdict_row(png, LEFT, GREEN, false);
	assert_true(verdict > 0);
	/* The legend is also red. */
	assert_true(loss_row(png) == -1 || loss_row(png) > verdict);
	cairo_surface_destroy(png);
}

/* The line of the loss is below what happened before the loss. */
static void picture_loss(void **state)
{
	static struct event events[] = {
		{ 1, 0, EVENT_NOTE, "first" },
		{ 1, 0, EVENT_BROKEN, "the loss" },
		{ 2, 0, EVENT_NOTE, "second" },
	};
	struct timeline t = small;
	cairo_surface_t *png;
	int first;

	(void)state;
	t.events = events;
	t.nevents = 3;
	png = drawn(&t);
	first = loss_row(png);
	assert_int_equal(
		pixel(png, cairo_image_surface_get_width(png) / 2, first), RED);
	cairo_surface_destroy(png);
	events[1] = (struct event){ 2, 0, EVENT_NOTE, "second" };
	events[2] = (struct event){ 2, 0, EVENT_BROKEN, "the loss" };
	png = drawn(&t);
	assert_true(loss_row(png) > first + 10);
	cairo_surface_destroy(png);
}

#define FRAME_HEIGHT 40 /* higher than labels */

/* The lowest pixel of a frame's edge in a column; -1: there is none. */
static int edge_bottom(cairo_surface_t *png, int x)
{
	const int height = cairo_image_surface_get_height(png);
	int red = 0;
	int y;

	for (y = 0; y < height; y++) {
		if (pixel(png, x, y) == RED)
			red++;
		else if (red >= FRAME_HEIGHT)
			return y - 1;
		else
			red = 0;
	}
	return -1;
}

/* The first column from @x on with (or without) a frame's edge; -1: none. */
static int next_column(cairo_surface_t *png, int x, bool edge)
{
	for (; x < cairo_image_surface_get_width(png); x++)
		if ((edge_bottom(png, x) >= 0) == edge)
			return x;
	return -1;
}

/* Only the line that is the cause has a frame, which ends at the loss. */
static void picture_cause(void **state)
{
	cairo_surface_t *png = drawn(&lost);
	const int first = next_column(png, 0, true);
	const int inside = next_column(png, first, false);
	const int last = next_column(png, inside, true);
	const int bottom = edge_bottom(png, first);
	const int outside = next_column(png, last, false);

	(void)state;
	assert_true(first > 0 && last > inside);
	assert_int_equal(pixel(png, (inside + last) / 2, bottom - 8), DIRTY);
	assert_int_equal(next_column(png, outside, true), -1);
	/* The line left of it is dirty as well. */
	assert_int_equal(pixel(png, first - 12, bottom - 8), DIRTY);
	assert_in_range(loss_row(png) - bottom, 0, 40);
	cairo_surface_destroy(png);
	png = drawn(&saved);
	assert_int_equal(next_column(png, 0, true), -1);
	cairo_surface_destroy(png);
}

static char letter_of(uint32_t colour)
{
	switch (colour) {
	case CLEAN:
		return 'c';
	case DIRTY:
		return 'd';
	case STALE:
		return 's';
	case BAD:
		return 'b';
	default:
		return '\0';
	}
}

/* White that is higher than a letter is a line that is not cached. */
#define ABSENT_HEIGHT 12

/* The colours of a bar in a column, from top to bottom. */
static void read_bar(cairo_surface_t *png, int x, int end, char bar[16])
{
	int white = 0;
	size_t n = 0;
	char letter;
	int y;

	for (y = 0; y < end; y++) {
		letter = letter_of(pixel(png, x, y));
		white = pixel(png, x, y) == WHITE ? white + 1 : 0;
		if (n && white == ABSENT_HEIGHT)
			letter = '-';
		if (letter && (!n || bar[n - 1] != letter) && n < 15)
			bar[n++] = letter;
	}
	bar[n] = '\0';
}

/* The bars from left to right. */
static void check_bars(const struct timeline *t, uint32_t verdict,
		       const char *expected)
{
	cairo_surface_t *png = drawn(t);
	const int end = verdict_row(png, LEFT, verdict, t->broken);
	char last[16] = "";
	char all[256] = "";
	char bar[16];
	int x;

	for (x = 0; x < cairo_image_surface_get_width(png); x++) {
		read_bar(png, x, end, bar);
		if (bar[0] && strcmp(bar, last) != 0)
			append(all, bar, -1);
		strcpy(last, bar);
	}
	assert_string_equal(all, expected);
	cairo_surface_destroy(png);
}

/* Without the frame, since it hides edges of bars. */
static void picture_lines(void **state)
{
	static struct event events[N(lost_events)];
	struct timeline t = lost;
	uint32_t i;

	(void)state;
	t.events = events;
	t.nevents = 0;
	for (i = 0; i < lost.nevents; i++)
		if (lost.events[i].kind != EVENT_CAUSE)
			events[t.nevents++] = lost.events[i];
	check_bars(&t, RED, "c-d c-d- s b");
	check_bars(&saved, GREEN, "c-d c-");
}

/* The "width" or "height" in the head of an SVG. */
static int svg_size(const char *svg, const char *what)
{
	const char *at = strstr(svg, "<svg ");
	char key[16];

	snprintf(key, sizeof(key), " %s=\"", what);
	assert_non_null(at);
	at = strstr(at, key);
	assert_non_null(at);
	at += strlen(key);
	assert_memory_equal(at + strspn(at, "0123456789."), "px\"", 3);
	return atoi(at);
}

/* Reads the start and the end of the SVG, which is enough. */
static void read_svg(char *svg, size_t bytes)
{
	FILE *file = fopen(path, "r");
	char end[8] = "";

	assert_non_null(file);
	bytes = fread(svg, 1, bytes - 1, file);
	svg[bytes] = '\0';
	assert_int_equal(fseek(file, -7, SEEK_END), 0);
	assert_int_equal(fread(end, 1, 7, file), 7);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(unlink(path), 0);
	assert_memory_equal(svg, "<?xml ", 6);
	assert_string_equal(end, "</svg>\n");
}

static void check_size(const char *svg, cairo_surface_t *png)
{
	assert_int_equal(svg_size(svg, "width"),
			 cairo_image_surface_get_width(png));
	assert_int_equal(svg_size(svg, "height"),
			 cairo_image_surface_get_height(png));
}

static void picture_svg(void **state)
{
	cairo_surface_t *png = drawn(&lost);
	FILE *out = create("svg");
	char svg[1024];

	(void)state;
	written(out, timeline_draw_svg(&lost, out));
	read_svg(svg, sizeof(svg));
	check_size(svg, png);
	cairo_surface_destroy(png);
}

static void picture_pair(void **state)
{
	cairo_surface_t *left = drawn(&lost);
	cairo_surface_t *right = drawn(&saved);
	cairo_surface_t *pair;
	const int half = cairo_image_surface_get_width(left);
	const int loss = loss_row(left);
	FILE *out = create("svg");
	char svg[1024];
	int verdict;

	(void)state;
	written(out, timeline_draw_pair_svg(&lost, &saved, out));
	read_svg(svg, sizeof(svg));
	out = create("png");
	written(out, timeline_draw_pair_png(&lost, &saved, out));
	pair = load();
	check_size(svg, pair);
	assert_true(cairo_image_surface_get_width(pair) >
		    half + cairo_image_surface_get_width(right) - 2 * MARGIN);
	/* The left half is as it is alone; the verdicts are side by side. */
	assert_int_equal(loss_row(pair), loss);
	verdict = verdict_row(pair, LEFT, RED, true);
	assert_int_equal(verdict_row(pair, half + 2 * MARGIN, GREEN, false),
			 verdict);
	assert_int_equal(verdict, verdict_row(left, LEFT, RED, true));
	cairo_surface_destroy(left);
	cairo_surface_destroy(right);
	cairo_surface_destroy(pair);
}

/* The first row of the bars to the right of @x. */
static int lanes_row(cairo_surface_t *png, int x)
{
	const int width = cairo_image_surface_get_width(png);
	int first = cairo_image_surface_get_height(png);
	int y;

	for (; x < width; x++) {
		y = row_of(png, x, 0, CLEAN);
		if (y >= 0 && y < first)
			first = y;
	}
	return first;
}

/* Both halves' lanes begin at one height, even if one has longer names. */
static void picture_tops(void **state)
{
	static struct lane long_lanes[N(lanes)];
	struct timeline t = saved;
	cairo_surface_t *alone = drawn(&saved);
	const int half = cairo_image_surface_get_width(alone);
	cairo_surface_t *pair;
	FILE *out = create("png");

	(void)state;
	memcpy(long_lanes, lanes, sizeof(lanes));
	strcpy(long_lanes[DEVICE].name, "w w w w w w w w w w w w");
	strcpy(long_lanes[IRQ].name, "w w w w w w w w w w w w");
	t.lanes = long_lanes;
	written(out, timeline_draw_pair_png(&saved, &t, out));
	pair = load();
	assert_true(lanes_row(pair, 0) > lanes_row(alone, 0));
	assert_int_equal(lanes_row(pair, 0), lanes_row(pair, half));
	cairo_surface_destroy(alone);
	cairo_surface_destroy(pair);
}

/*
 * What cannot be written.
 */

static int print_80(const struct timeline *t, FILE *out)
{
	return timeline_print(t, 80, out);
}

static draw_fn *const writers[] = { print_80, timeline_draw_svg,
				    timeline_draw_png, timeline_trace };

static void full(draw_fn *writer, const struct timeline *t)
{
	FILE *out = fopen("/dev/full", "w");

	assert_non_null(out);
	errno = 0;
	assert_int_equal(writer(t, out), -1);
	assert_int_equal(errno, ENOSPC);
	fclose(out);
}

static void no_space(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < N(writers); i++) {
		full(writers[i], &lost);
		/* Some write so little that only the flush fails. */
		full(writers[i], &empty);
	}
}

static void empty_run(void **state)
{
	FILE *out;
	uint32_t i;

	(void)state;
	for (i = 0; i < N(writers); i++) {
		out = create("file");
		written(out, writers[i](&empty, out));
		assert_int_equal(unlink(path), 0);
	}
}

/* For LeakSanitizer: cairo's fonts come from a library that frees nothing. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libfontconfig";
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_small),
		cmocka_unit_test(text_said),
		cmocka_unit_test(text_steps),
		cmocka_unit_test(text_turns),
		cmocka_unit_test(text_caches),
		cmocka_unit_test(text_marks),
		cmocka_unit_test(text_width),
		cmocka_unit_test(trace_nests),
		cmocka_unit_test(trace_events),
		cmocka_unit_test(trace_lines),
		cmocka_unit_test(trace_end),
		cmocka_unit_test(picture_verdict),
		cmocka_unit_test(picture_loss),
		cmocka_unit_test(picture_cause),
		cmocka_unit_test(picture_lines),
		cmocka_unit_test(picture_svg),
		cmocka_unit_test(picture_pair),
		cmocka_unit_test(picture_tops),
		cmocka_unit_test(no_space),
		cmocka_unit_test(empty_run),
	};

	return cmocka_run_group_tests_name("timeline", tests, make_dir,
					   remove_dir);
}
