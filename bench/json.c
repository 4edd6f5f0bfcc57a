// SPDX-License-Identifier: MIT
/* json.c - all figures as JSON. */
#include "bench.h"

#include <jansson.h>

json_t *json_of_host(void)
{
	struct host host;

	read_host(&host);
	return json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "cpus",
			 (int)host.ncpus, "cpu", host.cpu, "cores", host.cores,
			 "kernel", host.kernel, "clock_source",
			 host.clock_source, "governor", host.governor,
			 "compiler", host.compiler, "build", host.build);
}

static json_t *spread_json(const struct bench_spread *s)
{
	return json_pack("{s:f, s:f, s:f, s:f}", "min", s->min, "q1", s->q1,
			 "median", s->median, "q3", s->q3);
}

static json_t *comparison_json(const struct bench_section *s,
			       const struct bench_comparison *c)
{
	static const char *const kinds[] = {
		[AT_MOST] = "at_most",
		[AT_LEAST] = "at_least",
	};
	json_t *j = json_pack("{s:s, s:s, s:s}", "name", c->name, "item",
			      s->items[c->item].name, "base",
			      s->items[c->base].name);

	if (!comparison_measured(s, c))
		return j;
	json_object_set_new(j, "ratio", spread_json(&c->ratio));
	if (c->kind == NO_TARGET)
		return j;
	json_object_set_new(j, kinds[c->kind], json_real(c->target));
	json_object_set_new(j, "met", json_boolean(comparison_met(c)));
	return j;
}

static json_t *item_json(const struct bench_section *s, int i)
{
	const struct bench_item *item = &s->items[i];
	json_t *j = json_pack("{s:s, s:s}", "name", item->name, "unit",
			      field_unit(item->field));

	if (item_measured(s, i))
		json_object_set_new(j, "value", spread_json(&item->spread));
	else
		json_object_set_new(j, "failed",
				    json_string(s->runs[item->run].answer.why));
	return j;
}

json_t *json_of_section(const struct bench_section *s)
{
	json_t *comparisons = json_array();
	json_t *items = json_array();
	int i;

	for (i = 0; i < s->ncomparisons; i++)
		json_array_append_new(comparisons,
				      comparison_json(s, &s->comparisons[i]));
	for (i = 0; i < s->nitems; i++)
		json_array_append_new(items, item_json(s, i));
	return json_pack("{s:s, s:i, s:s, s:o, s:o}", "name", s->name, "rounds",
			 s->rounds, "left_out", s->left_out, "comparisons",
			 comparisons, "items", items);
}
