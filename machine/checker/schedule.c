// SPDX-License-Identifier: MIT
#include "schedule.h"

#include "machine/model/model.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STEPS 1000000
#define NO_NUMBER UINT32_MAX

struct parser {
	struct schedule *schedule;
	const char *file;
	unsigned int line;
	char *error;
};

static int wrong(const struct parser *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int wrong(const struct parser *p, const char *format, ...)
{
	char what[SCHEDULE_ERROR];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(p->error, SCHEDULE_ERROR, "%.100s:%u: %.140s", p->file,
		 p->line, what);
	return -1;
}

/* The text after @word and blanks; NULL if it does not begin with them. */
static char *rest_after(char *text, const char *word)
{
	const size_t bytes = strlen(word);

	if (strncmp(text, word, bytes) || !isblank((unsigned char)text[bytes]))
		return NULL;
	text += bytes;
	return text + strspn(text, " \t");
}

static void cut_blanks(char *text)
{
	size_t bytes = strlen(text);

	while (bytes && isspace((unsigned char)text[bytes - 1]))
		text[--bytes] = '\0';
}

/* Cuts off and returns the last word; NULL if there is only one. */
static char *cut_word(char *text)
{
	char *at = text + strlen(text);

	while (at > text && !isblank((unsigned char)at[-1]))
		at--;
	if (at == text)
		return NULL;
	at[-1] = '\0';
	cut_blanks(text);
	return at;
}

/* The number that @text is, or NO_NUMBER if it is none below @end. */
static uint32_t number(const char *text, uint32_t end)
{
	char *rest;
	unsigned long n;

	if (!isdigit((unsigned char)*text))
		return NO_NUMBER;
	n = strtoul(text, &rest, 10);
	return *rest || n >= end ? NO_NUMBER : (uint32_t)n;
}

static uint32_t find_context(const char *name)
{
	uint32_t nr;

	for (nr = 0; nr < m.ncontexts; nr++) {
		if (!strcmp(m.info[nr].name, name))
			return nr;
	}
	return NO_NUMBER;
}

static int add_segment(const struct parser *p, const struct segment *segment)
{
	struct schedule *s = p->schedule;
	struct segment *segments;

	segments =
		realloc(s->segments, (s->nsegments + 1) * sizeof(*s->segments));
	if (!segments)
		return wrong(p, "there is not enough memory");
	s->segments = segments;
	s->segments[s->nsegments++] = *segment;
	return 0;
}

static int add_step(const struct parser *p, uint32_t actor, uint32_t choice)
{
	const struct segment segment = {
		.action = { (uint8_t)actor, (uint8_t)choice },
		.kind = SEGMENT_STEPS,
		.n = 1,
	};

	return add_segment(p, &segment);
}

/* "C E" */
static int parse_entry(const struct parser *p, uint32_t actor, char *text)
{
	const char *last = cut_word(text);
	const uint32_t entry = last ? number(last, entries()) : NO_NUMBER;
	const uint32_t cache = number(text, m.ncaches);

	if (entry == NO_NUMBER || cache == NO_NUMBER)
		return wrong(p, "caches are numbered 0 to %u, entries 0 to %u",
			     m.ncaches - 1, entries() - 1);
	return add_step(p, actor + cache, entry);
}

static int parse_flush(const struct parser *p, const char *text)
{
	const uint32_t cpu = number(text, m.config.ncpus);

	if (cpu == NO_NUMBER)
		return wrong(p, "CPUs are numbered 0 to %u",
			     m.config.ncpus - 1);
	return add_step(p, ACTOR_FLUSH + cpu, 0);
}

static int parse_name(const struct parser *p, const char *name,
		      struct segment *segment)
{
	const uint32_t nr = find_context(name);

	if (nr != NO_NUMBER)
		segment->action.actor = (uint8_t)(ACTOR_CONTEXT + nr);
	else if (!strcmp(name, "device"))
		segment->action.actor = ACTOR_DEVICE;
	else
		return wrong(p, "there is no '%s' in this scenario", name);
	return add_segment(p, segment);
}

/* "NAME end", "NAME steps N" and the like. */
static int parse_stretch(const struct parser *p, char *text)
{
	struct segment segment = { .n = 1 };
	const char *last = cut_word(text);
	const char *word;
	uint32_t n;

	if (last && !strcmp(last, "end")) {
		segment.kind = SEGMENT_END;
		return parse_name(p, text, &segment);
	}
	word = last ? cut_word(text) : NULL;
	if (!word)
		return wrong(p, "this is no segment: '%s'", text);
	n = number(last, MAX_STEPS);
	if (n == NO_NUMBER)
		return wrong(p, "'%s' is not a number below %u", last,
			     MAX_STEPS);
	if (!strcmp(word, "way")) {
		if (n > UINT8_MAX)
			return wrong(p, "there is no way %u", n);
		segment.action.choice = (uint8_t)n;
		return parse_name(p, text, &segment);
	}
	segment.n = n;
	if (!strcmp(word, "lines"))
		segment.kind = SEGMENT_LINES;
	else if (strcmp(word, "steps") != 0)
		return wrong(p, "'%s' is not steps, lines, way or end", word);
	return parse_name(p, text, &segment);
}

static int parse_line(const struct parser *p, char *text)
{
	uint32_t nr;
	char *rest;

	text[strcspn(text, "#")] = '\0';
	text += strspn(text, " \t");
	cut_blanks(text);
	if (!*text)
		return 0;
	/* A context may be called "interrupt", too. */
	rest = rest_after(text, "interrupt");
	nr = rest ? find_context(rest) : NO_NUMBER;
	if (nr != NO_NUMBER && m.info[nr].kind == LANE_INTERRUPT)
		return add_step(p, ACTOR_INTERRUPT + nr, 0);
	rest = rest_after(text, "deadline");
	nr = rest ? find_context(rest) : NO_NUMBER;
	if (nr != NO_NUMBER)
		return add_step(p, ACTOR_DEADLINE + nr, 0);
	rest = rest_after(text, "flush");
	if (rest)
		return parse_flush(p, rest);
	rest = rest_after(text, "evict");
	if (rest)
		return parse_entry(p, ACTOR_EVICT, rest);
	rest = rest_after(text, "fill");
	if (rest)
		return parse_entry(p, ACTOR_FILL, rest);
	return parse_stretch(p, text);
}

int schedule_parse(struct schedule *s, const char *text, const char *file,
		   char error[SCHEDULE_ERROR])
{
	struct parser p = { .schedule = s, .file = file, .error = error };
	size_t bytes;
	char *line;
	int err;

	*s = (struct schedule){ 0 };
	while (*text) {
		p.line++;
		bytes = strcspn(text, "\n");
		line = strndup(text, bytes);
		if (!line)
			return wrong(&p, "there is not enough memory");
		err = parse_line(&p, line);
		free(line);
		if (err)
			return -1;
		text += bytes;
		text += *text == '\n';
	}
	return 0;
}

void schedule_free(struct schedule *s)
{
	free(s->segments);
}

static void print_stretch(const char *name, struct action a, uint32_t n,
			  FILE *out)
{
	if (a.choice)
		fprintf(out, "%s way %u\n", name, a.choice);
	else
		fprintf(out, "%s steps %u\n", name, n);
}

static void print_segment(struct action a, uint32_t n, FILE *out)
{
	if (a.actor < ACTOR_INTERRUPT)
		print_stretch(m.info[a.actor].name, a, n, out);
	else if (a.actor < ACTOR_FLUSH)
		fprintf(out, "interrupt %s\n",
			m.info[a.actor - ACTOR_INTERRUPT].name);
	else if (a.actor < ACTOR_DEADLINE)
		fprintf(out, "flush %u\n", a.actor - ACTOR_FLUSH);
	else if (a.actor < ACTOR_DEVICE)
		fprintf(out, "deadline %s\n",
			m.info[a.actor - ACTOR_DEADLINE].name);
	else if (a.actor == ACTOR_DEVICE)
		print_stretch("device", a, n, out);
	else if (a.actor < ACTOR_FILL)
		fprintf(out, "evict %u %u\n", a.actor - ACTOR_EVICT, a.choice);
	else
		fprintf(out, "fill %u %u\n", a.actor - ACTOR_FILL, a.choice);
}

/* Whether one segment, with a number, can stand for several such steps. */
static bool has_number(struct action a)
{
	return (a.actor < ACTOR_INTERRUPT || a.actor == ACTOR_DEVICE) &&
	       !a.choice;
}

void schedule_print(const struct action *steps, uint32_t nsteps, FILE *out)
{
	uint32_t k;
	uint32_t n;

	for (k = 0; k < nsteps; k += n) {
		n = 1;
		while (has_number(steps[k]) && k + n < nsteps &&
		       steps[k + n].actor == steps[k].actor &&
		       !steps[k + n].choice)
			n++;
		print_segment(steps[k], n, out);
	}
}
