/* SPDX-License-Identifier: MIT */
/*
 * model.h - the model machine as the checker and the calls of a scenario see it:
 * its state, and what changes that.
 *
 * All that can change in a run is in three places, which the checker saves and
 * restores: struct hw, the program's memory, and the contexts' stacks.  The
 * rest of struct machine is constant while a run lasts, or belongs to the step
 * that is being made.
 */
#ifndef MACHINE_MODEL_H
#define MACHINE_MODEL_H

#include "machine.h"
#include "types.h"
#include "machine/timeline/timeline.h"

#include <setjmp.h>

#define MAX_CPUS     4
#define MAX_CONTEXTS 8
#define MAX_PAGES    6
#define MAX_LINES    4 /* of a page */
#define MAX_LINE     4 /* bytes */
#define MAX_PAGE     (MAX_LINES * MAX_LINE)
#define MAX_BYTES    64 /* of memory: struct view has a bit for each */
#define MAX_SLOTS    24 /* those for local maps and DMA included */
#define MAX_ENTRIES  (MAX_SLOTS * MAX_LINES)
#define STACK_BYTES  65536
#define MAX_MEMORY   16384

#define NOBODY	     0xff

/* What a context is about to do, when it gives way. */
enum op_kind {
	OP_STEP,   /* what may go on at any time */
	OP_ATOMIC, /* an atomic operation that goes one way only, or a fence */
	OP_ATOMIC_LOAD,
	OP_ATOMIC_CAS,
	OP_LOAD, /* of data, through the cache */
	OP_STORE,
	OP_LINE,     /* cache maintenance of a line, at an address */
	OP_PTE,	     /* sets or clears a translation */
	OP_FLUSH,    /* of TLBs */
	OP_ACKS,     /* waits for the other CPUs' answers */
	OP_LOCK,     /* waits for the window's lock */
	OP_SPIN,     /* waits for a spinlock */
	OP_SLEEPING, /* waits to be woken */
};

/* What is part of the state has no padding, which would be part of it, too. */
struct op {
	uint32_t var; /* OP_ATOMIC..., OP_SPIN, OP_SLEEPING: place in memory */
	uint32_t value; /* OP_ATOMIC_CAS: what it expects */
	uint8_t kind;
	uint8_t order; /* OP_ATOMIC...: enum machine_order */
	uint8_t slot;  /* OP_LOAD, OP_STORE, OP_LINE, OP_PTE: where ... */
	uint8_t line;
};

enum context_state {
	CONTEXT_IDLE, /* a handler that does not run */
	CONTEXT_READY,
	CONTEXT_ASLEEP,
	CONTEXT_DONE,
};

struct context {
	uint8_t state;
	uint8_t irq_off;
	uint8_t preempt_off; /* how often */
	uint8_t timed;	     /* asleep with a deadline */
	uint8_t timed_out;
	/*
	 * While in a pin: the page + 1, whether it could miss (I8), and what
	 * its CPU must have seen be cleaned then.
	 */
	uint8_t pinning;
	uint8_t may_miss;
	uint8_t miss_after;
	uint8_t misuse_expected;
	uint8_t unused[3]; /* no padding */
	struct op op;
};

struct cpu {
	uint8_t depth;
	uint8_t handler[MAX_CONTEXTS]; /* on top of each other */
	uint8_t flush_asked; /* a TLB flush, by inter-processor interrupt */
};

struct device {
	uint8_t active;
	uint8_t dir;
	uint8_t value;
	uint8_t irq;
	uint8_t page;
	uint8_t start; /* byte in the page; a buffer may reach into the next */
	uint8_t end;
};

struct entry {
	uint8_t valid;
	uint8_t dirty;
	uint8_t page;
	uint8_t data[MAX_LINE];
};

struct cache {
	struct entry entry[MAX_ENTRIES];
};

/* A page number + 1, or 0, where it says translation. */
struct hw {
	struct context context[MAX_CONTEXTS];
	struct cpu cpu[MAX_CPUS];
	uint8_t raised;	     /* interrupts, a bit each */
	uint8_t lock_owner;  /* or NOBODY */
	uint8_t flush_first; /* what the other CPUs are asked to flush */
	uint8_t flush_end;
	struct device device;
	uint8_t memory[MAX_PAGES][MAX_PAGE];
	/* What each byte's owner wrote last; 0: nothing that is to be kept. */
	uint8_t written[MAX_PAGES][MAX_PAGE];
	/*
	 * Bytes, a bit each, whose line was cleaned by a CPU that was not sure
	 * to see the last store to them (weak memory).
	 */
	uint64_t unsure;
	/* How many times lines of each page were cleaned (weak memory). */
	uint8_t cleaned[MAX_PAGES];
	uint8_t page_held[MAX_PAGES];
	uint8_t held[MAX_SLOTS];
	uint8_t pte[MAX_SLOTS];		  /* translation */
	uint8_t tlb[MAX_CPUS][MAX_SLOTS]; /* translation */
	struct cache cache[MAX_CPUS];	  /* ncaches of them are used */
};

/* What release/acquire memory has besides; see memory.c. */
#define WEAK_VARIABLES 21
#define WEAK_MESSAGES  32 /* values of a variable that are kept at most */
#define NO_CHOICE      0xffu

struct view {
	uint64_t data;	/* a bit for each byte of memory */
	uint32_t slots; /* a bit for each slot's translation */
	/* Of each page: how many times it has seen lines of it be cleaned. */
	uint8_t cleaned[MAX_PAGES];
	uint8_t held; /* a bit for each page: sees who held it last */
	uint8_t oldest[WEAK_VARIABLES];
};

struct message {
	struct view view;
	uint64_t value; /* the lower half of a pfn, sign and all */
};

struct weak {
	uint8_t n[WEAK_VARIABLES]; /* messages of each variable */
	uint8_t retired;	   /* CPUs, a bit each */
	struct view cpu[MAX_CPUS];
	struct view loaded[MAX_CPUS];
	struct view sc;
	struct view lock;
	struct view spin;
	struct view answers;
	struct message messages[WEAK_VARIABLES * WEAK_MESSAGES];
};

/* What a context is, whatever happens. */
struct context_info {
	enum lane_kind kind;
	char name[24];
	int cpu;
	int level; /* of an interrupt; MACHINE_NMI cannot be masked */
	void (*run)(void);
	jmp_buf begin;
	char *base; /* of its stack, when it begins */
	char *sp;   /* what is above is kept */
};

struct machine {
	struct hw hw;
	_Alignas(PKMAP_ALIGN) unsigned char memory[MAX_MEMORY];
	size_t memory_used;
	struct weak weak;

	struct machine_config config;
	struct context_info info[MAX_CONTEXTS];
	uint32_t ncontexts;
	uint32_t ncaches;
	uint32_t nslots; /* of all kinds */
	size_t hw_bytes; /* of hw that are used */

	/* Counters in the program's memory, which are not kept. */
	const void *ignored[2];
	const void *ignored_end[2];
	/* Variables that only the owner of the window's lock changes. */
	const void *locked;
	const void *locked_end;
	/* Variables that only their CPU looks at. */
	const void *private_to_cpu;
	const void *private_end;
	/* Where the variables are that have a history; found as they come. */
	uint32_t variable[WEAK_VARIABLES];
	uint32_t nvariables;
	bool weak_cut; /* not all of the history was kept */

	/* The step that is being made. */
	jmp_buf checker; /* where to go when the context gives way */
	uint8_t current;
	uint8_t choice;
	bool preparing; /* before the run: nobody gives way */
	struct broken broken;
	/* The last line that data went to or came from, or NULL. */
	const struct entry *line;
};

extern struct machine m;

static inline struct context *context(void)
{
	return &m.hw.context[m.current];
}

static inline int this_cpu(void)
{
	return m.info[m.current].cpu;
}

static inline bool is_vivt(void)
{
	return m.config.cache.kind == PKMAP_CACHE_VIVT;
}

static inline uint32_t ncolours(const struct machine_config *config)
{
	return config->cache.colours ? config->cache.colours : 1;
}

/* Slots of all kinds. */
static inline uint32_t all_slots(const struct machine_config *config)
{
	return config->nslots + (config->local_slots + config->dma_slots) *
					config->ncpus * ncolours(config);
}

/* Where a variable is in the program's memory. */
static inline uint32_t place_of(const void *var)
{
	return (uint32_t)((const unsigned char *)var - m.memory);
}

static inline uint32_t page_bytes(void)
{
	return 1u << m.config.page_shift;
}

static inline uint32_t line_bytes(void)
{
	return 1u << m.config.line_shift;
}

static inline uint32_t lines_per_page(void)
{
	return 1u << (m.config.page_shift - m.config.line_shift);
}

/* machine.c: there is a new one, on which nothing has run yet. */
void machine_init(const struct machine_config *config);
void broken(int invariant, enum verdict verdict, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* context.c */
bool context_is_interrupt(uint32_t nr);
/* Whether it is about to do what has to wait. */
bool context_is_blocked(const struct context *c);
/* Whether it can make a step. */
bool context_is_ready(uint32_t nr);
/* Lets it make one, up to where it gives way again. */
void context_start(uint32_t nr);
void context_resume(uint32_t nr);
/* Of what it keeps on its stack, from its sp on. */
char *context_stack_end(uint32_t nr);
/* Whether an interrupt can be taken, and that. */
bool interrupt_is_due(uint32_t nr);
void interrupt_begin(uint32_t nr);
/* Whether a context on this CPU keeps interrupts off. */
bool irqs_are_off(int cpu);

/* memory.c: how many ways the operation at hand can go. */
uint32_t atomic_choices(const struct context *c, int cpu);
size_t weak_bytes(void);
/* Somebody on this CPU holds a page; and whether it sees who did so last. */
void sync_hold(int page);
bool sync_sees_hold(int page);

/* mmu.c */
#define WINDOW_BASE 0x10000u
/* 0, and an invariant is broken, if it is in none. */
uint32_t slot_of(const void *addr);
/* The CPU does what an inter-processor interrupt asks it to. */
void answer_flush(int cpu);

/* port.c: what the machine's port says of its cache. */
struct pkmap_cache port_cache(const struct machine_config *config);

/* cache.c */
uint32_t entries(void);
struct entry *cache_entry(uint32_t cache, uint32_t slot, int page,
			  uint32_t line);
void cache_evict(uint32_t cache, uint32_t nr);
bool cache_can_fill(uint32_t cache, uint32_t nr, int *page);
void cache_fill(uint32_t cache, uint32_t nr);

/* device.c */
void device_step(void);

/* checks.c: what the owners wrote, and whether it is still there. */
void check_end(void);
void broken_livelock(uint8_t actor);
void watch_pins(void);
void check_miss(int page);

/*
 * log.c: fills a timeline in, while a run is made.  A cache's lane is -1 - its
 * number.
 */
#define DEVICE_LANE 100
void log_event(int lane, enum event_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Before the run, which has a first look at each context. */
void log_open(struct timeline *timeline);
void log_before_step(struct action action);
/* After each step, and after the beginning. */
void log_after_step(void);
/* Where nothing can happen any more: what is wrong is in a lane that waits. */
void log_end(void);
/* 0, or -1: there was not enough memory. */
int log_close(void);

#endif /* MACHINE_MODEL_H */
