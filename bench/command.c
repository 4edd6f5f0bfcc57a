// SPDX-License-Identifier: MIT
/* command.c - pkmap bench: its options, and its output section by section. */
#include "command.h"

#include "bench.h"
#include "tools/common/args.h"
#include "tools/common/stop.h"
#include "tools/common/streams.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROUNDS_DEFAULT 31
#define ROUNDS_QUICK   3
#define ROUNDS_MAX     1000

enum {
	KEY_ROUNDS = 'r',
	KEY_QUICK = 'q',
	KEY_JSON = 'j',
	KEY_OUT = 'o',
	KEY_TRACES = 't',
	KEY_LIST = 'l',
};

struct options {
	uint32_t rounds;
	bool quick;
	bool json;
	const char *out; /* directory, or NULL */
	const char *traces;
	uint32_t chosen; /* a bit for each section; 0: all */
};

/* The output, which grows while the sections are measured. */
struct bench_output {
	const struct options *options;
	FILE *text; /* bench.md, or NULL */
	char path[PATH_MAX];
	json_t *sections;
};

/* clang-format off */
static const struct argp_option option_list[] = {
	{ .name = "rounds", .key = KEY_ROUNDS, .arg = "N",
	  .doc = "Number of rounds; at least 21 for figures to quote (31)" },
	{ .name = "quick", .key = KEY_QUICK,
	  .doc = "Do 3 short rounds, to see that it works; do not quote the "
		 "figures" },
	{ .name = "json", .key = KEY_JSON, .doc = "Print all figures as JSON" },
	{ .name = "out", .key = KEY_OUT, .arg = "DIR",
	  .doc = "Also write bench.md, bench.json and the data of the plots "
		 "to DIR" },
	{ .name = "traces", .key = KEY_TRACES, .arg = "DIR",
	  .doc = "Directory of page reference traces, from "
		 "scripts/record-traces" },
	{ .name = "list", .key = KEY_LIST, .doc = "List the sections" },
	{ 0 }
};
/* clang-format on */

static void list_sections(void)
{
	int i;

	for (i = 0; i < bench_nplans; i++)
		printf("%-14s%s\n", bench_plans[i].name, bench_plans[i].title);
}

static uint32_t parse_section(const struct argp_state *state, const char *name)
{
	int i;

	for (i = 0; i < bench_nplans; i++) {
		if (!strcmp(bench_plans[i].name, name))
			return 1u << i;
	}
	argp_error(state, "there is no section '%s'; --list prints all", name);
	return 0;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *opt = state->input;

	switch (key) {
	case KEY_ROUNDS:
		opt->rounds = parse_number(state, "rounds", arg, 1, ROUNDS_MAX);
		return 0;
	case KEY_QUICK:
		opt->quick = true;
		return 0;
	case KEY_JSON:
		opt->json = true;
		return 0;
	case KEY_OUT:
		opt->out = arg;
		return 0;
	case KEY_TRACES:
		opt->traces = arg;
		return 0;
	case KEY_LIST:
		list_sections();
		exit(EXIT_SUCCESS);
	case ARGP_KEY_ARG:
		opt->chosen |= parse_section(state, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_list,
	.parser = parse_option,
	.args_doc = "[SECTION...]",
	.doc = "Measure pkmap and its alternatives on the same work in the "
	       "same run, and print ratios.\vThe exit status tells whether "
	       "everything could be measured, not whether it was fast.",
};

/* Makes a file of pages in memory; if @marked, each begins with its mark. */
static int make_pages(bool marked)
{
	int fd = memfd_create("pkmap-bench", MFD_CLOEXEC);
	uint64_t mark;
	uint32_t i;

	if (fd < 0 || ftruncate(fd, (off_t)BENCH_FILE_PAGES * 4096))
		return bench_error("pages");
	for (i = 0; marked && i < BENCH_FILE_PAGES; i++) {
		mark = job_mark(i);
		if (pwrite(fd, &mark, sizeof(mark), (off_t)i * 4096) < 0)
			return bench_error("pages");
	}
	return fd;
}

static int bench_init(struct bench *b, const struct options *options,
		      bench_pump_fn *pump)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return bench_error("CPUs");
	*b = (struct bench){
		.rounds = (int)options->rounds,
		.quick = options->quick,
		.traces = options->traces,
		.ncpus = (uint32_t)CPU_COUNT(&set),
		.fd = make_pages(true),
		.pump = pump,
	};
	if (b->fd < 0)
		return -1;
	b->scratch_fd = make_pages(false);
	if (b->scratch_fd < 0)
		return -1;
	progress_init(&b->progress, false);
	return 0;
}

static int open_text(struct bench_output *o, const char *dir)
{
	if (mkdir(dir, 0777) && errno != EEXIST)
		return bench_error(dir);
	if (file_path(o->path, dir, "bench.md"))
		return -1;
	o->text = fopen(o->path, "we");
	return o->text ? 0 : bench_error(o->path);
}

/* Shows this part of the report while the rest is measured. */
static int flush_output(struct bench_output *o)
{
	int err = 0;

	if (streams_flush())
		err = bench_error("cannot print");
	if (o->text && (fflush(o->text) || ferror(o->text)))
		err = bench_error(o->path);
	return err;
}

static int begin_output(struct bench_output *o, const struct options *options)
{
	*o = (struct bench_output){
		.options = options,
		.sections = json_array(),
	};
	if (!o->sections)
		return bench_error("JSON");
	if (options->out && open_text(o, options->out))
		return -1;
	if (o->text)
		report_host(o->text);
	if (!options->json)
		report_host(stdout);
	return flush_output(o);
}

static int put_section(struct bench_output *o, const struct bench_section *s)
{
	int err = 0;

	if (json_array_append_new(o->sections, json_of_section(s)))
		err = bench_error("JSON");
	if (!o->options->json)
		report_section(s, stdout);
	if (o->text) {
		report_section(s, o->text);
		err |= plots_write(s, o->options->out);
	}
	return err | flush_output(o);
}

static int write_json(const void *root, FILE *out)
{
	return json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) ||
			       fputc('\n', out) == EOF ?
		       -1 :
		       0;
}

static int print_json(json_t *root)
{
	const int err = write_json(root, stdout) ? errno : 0;

	if (!streams_flush() && !err)
		return 0;
	if (err)
		errno = err;
	return bench_error("cannot print");
}

static int end_output(struct bench_output *o)
{
	json_t *root = json_pack("{s:o, s:o}", "machine", json_of_host(),
				 "sections", o->sections);
	int err = 0;

	if (!root)
		return bench_error("JSON");
	if (o->options->json)
		err = print_json(root);
	if (o->text) {
		err |= file_write(o->options->out, "bench.json", write_json,
				  root);
		if (fclose(o->text))
			err = bench_error(o->path);
	}
	json_decref(root);
	return err;
}

static int measure(struct bench *b, const struct bench_plan *plan,
		   struct bench_output *output)
{
	struct bench_section *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return bench_error(plan->name);
	s->name = plan->name;
	s->title = plan->title;
	s->repeatable = plan->repeatable;
	s->rounds = plan->repeatable ? 1 : b->rounds;
	plan->plan(b, s);
	err = section_measure(b, s);
	if (!err)
		err = put_section(output, s);
	section_free(s);
	free(s);
	return err;
}

int cmd_bench(int argc, char **argv, bench_pump_fn *pump)
{
	struct options options = { 0 };
	struct bench_output output;
	struct bench b;
	int err = 0;
	int i;

	parse_args(&argp, argc, argv, 0, &options);
	if (!options.rounds)
		options.rounds = options.quick ? ROUNDS_QUICK : ROUNDS_DEFAULT;
	stop_init();
	/* A worker that has ended is reported as an error of its job. */
	signal(SIGPIPE, SIG_IGN);
	if (bench_init(&b, &options, pump) || begin_output(&output, &options))
		return EXIT_FAILURE;
	for (i = 0; i < bench_nplans && !err; i++) {
		if (!options.chosen || options.chosen & 1u << i)
			err = measure(&b, &bench_plans[i], &output);
	}
	if (b.stopped)
		fprintf(stderr,
			"pkmap bench: stopped in section %s; the "
			"output above is complete\n",
			bench_plans[i - 1].name);
	err |= end_output(&output);
	if (b.stopped)
		stop_die();
	return err || b.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
