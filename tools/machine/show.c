// SPDX-License-Identifier: MIT
#include "show.h"

#include "tools/common/output.h"
#include "tools/common/streams.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

int show_flush(struct failure *failure)
{
	if (streams_flush())
		return fail(failure, errno, "cannot print");
	return 0;
}

#define WIDTH 80 /* if the output is no terminal, or has no known width */

static int width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return WIDTH;
	return size.ws_col;
}

int show_run(const struct run_setup *setup, const struct replayed *replayed,
	     struct timeline *timeline, struct failure *failure)
{
	if (replay_show(setup, replayed, timeline))
		return fail(failure, 0, "not enough memory");
	if (timeline_print(timeline, width(), stdout))
		return fail(failure, errno, "cannot print");
	return 0;
}

/* What goes into a file. */
struct pictured {
	const struct timeline *timeline;
	const struct timeline *beside; /* or NULL */
};

static int write_svg(const void *arg, FILE *out)
{
	const struct pictured *p = arg;

	return p->beside ? timeline_draw_pair_svg(p->timeline, p->beside, out) :
			   timeline_draw_svg(p->timeline, out);
}

static int write_png(const void *arg, FILE *out)
{
	const struct pictured *p = arg;

	return p->beside ? timeline_draw_pair_png(p->timeline, p->beside, out) :
			   timeline_draw_png(p->timeline, out);
}

static int write_trace(const void *arg, FILE *out)
{
	const struct pictured *p = arg;

	return timeline_trace(p->timeline, out);
}

int show_pictures(const struct machine_options *opt,
		  const struct timeline *timeline,
		  const struct timeline *beside, struct failure *failure)
{
	const struct pictured p = { timeline, beside };

	if (opt->svg && output_write(opt->svg, write_svg, &p, failure))
		return -1;
	if (opt->png && output_write(opt->png, write_png, &p, failure))
		return -1;
	if (opt->trace && output_write(opt->trace, write_trace, &p, failure))
		return -1;
	return 0;
}
