// SPDX-License-Identifier: MIT
#include "pump.h"
#include "tools/common/args.h"

#include <argp.h>
#include <unistd.h>

#define MAX_SLOTS     (1u << 20)
#define MAX_FRAMES    (1u << 24)
#define MAX_THREADS   1024
#define MAX_IRQ_RATE  20000
#define MAX_PAGE_SIZE (1u << 30)

enum {
	KEY_SLOTS = 's',
	KEY_FRAMES = 'f',
	KEY_THREADS = 't',
	KEY_IRQ_RATE = 'i',
	KEY_PAGE_SIZE = 'p',
	KEY_JSON = 'j',
	KEY_QUIET = 'q',
	KEY_STRICT = 256,
};

/* clang-format off */
static const struct argp_option options[] = {
	{ .name = "slots", .key = KEY_SLOTS, .arg = "N",
	  .doc = "Slots of the window, at least 2 (64)" },
	{ .name = "frames", .key = KEY_FRAMES, .arg = "N",
	  .doc = "Frames of high memory, at least 2 (4 per slot)" },
	{ .name = "threads", .key = KEY_THREADS, .arg = "N",
	  .doc = "CPU threads that copy (one per CPU)" },
	{ .name = "irq-rate", .key = KEY_IRQ_RATE, .arg = "HZ",
	  .doc = "Timer interrupts per second, up to 20000; 0: none (10000)" },
	{ .name = "page-size", .key = KEY_PAGE_SIZE, .arg = "BYTES",
	  .doc = "Page size, a power of two (the system's page size)" },
	{ .name = "strict", .key = KEY_STRICT,
	  .doc = "Make reclaimed slots fault when touched" },
	{ .name = "json", .key = KEY_JSON, .doc = "Print the summary as JSON" },
	{ .name = "quiet", .key = KEY_QUIET,
	  .doc = "Print neither progress nor a summary" },
	{ 0 }
};
/* clang-format on */

static size_t parse_page_size(const struct argp_state *state, const char *arg)
{
	uint32_t min = (uint32_t)sysconf(_SC_PAGESIZE);
	uint32_t n = parse_number(state, "page-size", arg, min, MAX_PAGE_SIZE);

	if (n & (n - 1))
		argp_error(state, "--page-size: %u is not a power of two", n);
	return n;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct pump_options *opt = state->input;

	switch (key) {
	case KEY_SLOTS:
		opt->slots = parse_number(state, "slots", arg, 2, MAX_SLOTS);
		return 0;
	case KEY_FRAMES:
		opt->frames = parse_number(state, "frames", arg, 2, MAX_FRAMES);
		return 0;
	case KEY_THREADS:
		opt->threads =
			parse_number(state, "threads", arg, 1, MAX_THREADS);
		return 0;
	case KEY_IRQ_RATE:
		opt->irq_rate =
			parse_number(state, "irq-rate", arg, 0, MAX_IRQ_RATE);
		return 0;
	case KEY_PAGE_SIZE:
		opt->page_size = parse_page_size(state, arg);
		return 0;
	case KEY_STRICT:
		opt->strict = true;
		return 0;
	case KEY_JSON:
		opt->json = true;
		return 0;
	case KEY_QUIET:
		opt->quiet = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 1)
			argp_error(state, "too many files");
		if (state->arg_num == 0)
			opt->in = arg;
		else
			opt->out = arg;
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num < 2)
			argp_error(state, "IN and OUT must be given");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static uint32_t online_cpus(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	if (n < 1)
		return 1;
	return n > MAX_THREADS ? MAX_THREADS : (uint32_t)n;
}

void pump_parse(int argc, char **argv, struct pump_options *opt)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse_option,
		.args_doc = "IN OUT",
		.doc = "Copy a file through high memory, as a kernel would: a "
		       "device fills frames that are not mapped, CPUs map "
		       "source and destination through a small window and "
		       "copy, and interrupts pin frames and check what they "
		       "find.",
	};

	*opt = (struct pump_options){
		.slots = 64,
		.threads = online_cpus(),
		.irq_rate = 10000,
		.page_size = (size_t)sysconf(_SC_PAGESIZE),
	};
	parse_args(&argp, argc, argv, 0, opt);
	if (!opt->frames)
		opt->frames = 4 * opt->slots;
}
