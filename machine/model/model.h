/* SPDX-License-Identifier: MIT */
/*
 * model.h - the model machine as the checker and scenario.c see it: its state,
 * and the functions that change it.
 *
 * The state is in four places, which the checker saves and restores: struct hw,
 * struct weak, the program's memory, and the contexts' stacks.  The rest of
 * struct machine is constant during a run, or belongs to the current step.
 */
#ifndef MACHINE_MODEL_MODEL_H
#define MACHINE_MODEL_MODEL_H

#include "machine.h"
#include "types.h"
#include "machine/timeline/timeline.h"

#include <setjmp.h>

#define MAX_CPUS     4
#define MAX_CONTEXTS 8
#define MAX_PAGES    6
#define MAX_LINES    4 /* per page */
#define MAX_LINE     4 /* bytes */
#define MAX_PAGE     (MAX_LINES * MAX_LINE)
#define MAX_BYTES    64 /* of memory: struct view has a bit for each */
#define MAX_SLOTS    24 /* including those for local maps and DMA */
#define MAX_ENTRIES  (MAX_SLOTS * MAX_LINES)
#define STACK_BYTES  65536
#define MAX_MEMORY   16384

#define NOBODY	     0xff

/* What a context that gave way will do next. */
enum op_kind {
	OP_STEP,   /* anything that never has to wait */
	OP_ATOMIC, /* an atomic operation with only one result, or a fence */
	OP_ATOMIC_LOAD,
	OP_ATOMIC_CAS,
	OP_LOAD, /* of data, through the cache */
	OP_STORE,
	OP_LINE,     /* cache maintenance of a line, at an address */
	OP_PTE,	     /* sets or clears a translation */
	OP_FLUSH,    /* flushes TLBs */
	OP_ACKS,     /* waits for the other CPUs' answers */
	OP_LOCK,     /* waits for the window's lock */
	OP_SPIN,     /* waits for a spinlock */
	OP_SLEEPING, /* waits to be woken */
};

/* Structs of the state have no padding, since that would be part of it. */
struct op {
	uint32_t var;	/* OP_ATOMIC..., OP_SPIN, OP_SLEEPING: see place_of() */
	uint32_t value; /* OP_ATOMIC_CAS: the expected value */
	uint8_t kind;
	uint8_t order; /* OP_ATOMIC...: enum machine_order */
	uint8_t slot;  /* OP_LOAD, OP_STORE, OP_LINE, OP_PTE */
	uint8_t line;  /* OP_LOAD, OP_STORE, OP_LINE */
};

enum context_state {
	CONTEXT_IDLE, /* a handler that is not running */
	CONTEXT_READY,
	CONTEXT_ASLEEP,
	CONTEXT_DONE,
};

struct context {
	uint8_t state;
	uint8_t irq_off;
	uint8_t preempt_off; /* nesting depth */
	uint8_t timed;	     /* asleep with a deadline */
	uint8_t timed_out;
	/*
	 * During a pin: the page + 1; whether the pin may say "not mapped"
	 * (I8); and how many cleanings of the page its CPU must have seen to
	 * say so.
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
	uint8_t handler[MAX_CONTEXTS]; /* the nested ones, outermost first */
	uint8_t flush_asked; /* an inter-processor interrupt is pending */
};

struct device {
	uint8_t active;
	uint8_t dir;
	uint8_t value;
	uint8_t irq;
	uint8_t page;
	uint8_t start; /* offset of the next byte in the page */
	uint8_t end;   /* beyond the page if the buffer goes on in the next */
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

/* A translation is a page number + 1, or 0. */
struct hw {
	struct context context[MAX_CONTEXTS];
	struct cpu cpu[MAX_CPUS];
	uint8_t raised;	     /* pending interrupts, a bit each */
	uint8_t lock_owner;  /* or NOBODY */
	uint8_t flush_first; /* the slots that the other CPUs are to flush */
	uint8_t flush_end;
	struct device device;
	uint8_t memory[MAX_PAGES][MAX_PAGE];
	/* What each byte's owner wrote last; 0: it need not be kept. */
	uint8_t written[MAX_PAGES][MAX_PAGE];
	/*
	 * A bit for each byte: its line was cleaned by a CPU that may not have
	 * seen the last store to it (weak memory).
	 */
	uint64_t unsure;
	/* How many times lines of each page were cleaned (weak memory). */
	uint8_t cleaned[MAX_PAGES];
	uint8_t page_held[MAX_PAGES];
	uint8_t held[MAX_SLOTS];
	uint8_t pte[MAX_SLOTS];		  /* translations */
	uint8_t tlb[MAX_CPUS][MAX_SLOTS]; /* translations */
	struct cache cache[MAX_CPUS];	  /* ncaches of them are used */
};

/* The additional state of release/acquire memory; see memory.c. */
#define WEAK_VARIABLES 23
#define WEAK_MESSAGES  32 /* at most so many values of a variable are kept */
#define NO_CHOICE      0xffu

struct view {
	uint64_t data;	/* a bit for each byte: sees the last store to it */
	uint32_t slots; /* a bit for each slot: sees its translation */
	/* For each page: how many cleanings of its lines it has seen. */
	uint8_t cleaned[MAX_PAGES];
	uint8_t held; /* a bit for each page: sees its last user */
	uint8_t oldest[WEAK_VARIABLES]; /* the oldest value it may load */
};

struct message {
	struct view view;
	uint64_t value; /* the lower 32 bits, sign-extended by a load */
};

struct weak {
	uint8_t n[WEAK_VARIABLES]; /* the length of each variable's history */
	uint8_t retired; /* CPUs on which nothing runs any more, a bit each */
	struct view cpu[MAX_CPUS];
	struct view loaded[MAX_CPUS];
	struct view sc;
	struct view lock;
	struct view spin;
	struct view answers;
	struct message messages[WEAK_VARIABLES * WEAK_MESSAGES];
};

/* The constant part of a context. */
struct context_info {
	enum lane_kind kind;
	char name[24];
	int cpu;
	int level; /* of an interrupt; MACHINE_NMI cannot be masked */
	void (*run)(void);
	jmp_buf begin;
	char *base; /* the stack pointer at its beginning */
	char *sp;   /* the part of its stack above this is kept */
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
	size_t hw_bytes; /* the part of hw that is used */

	/* Counters in the program's memory, which are not kept. */
	const void *ignored[2];
	const void *ignored_end[2];
	/* Variables that only the owner of the window's lock changes. */
	const void *locked;
	const void *locked_end;
	/* Variables that only their own CPU accesses. */
	const void *private_to_cpu;
	const void *private_end;
	/* The places of variables with a history, in order of first use. */
	uint32_t variable[WEAK_VARIABLES];
	uint32_t nvariables;
	bool weak_cut; /* part of a history was dropped */

	/* The current step. */
	jmp_buf checker; /* where to go when the context gives way */
	uint8_t current;
	uint8_t choice;
	bool preparing; /* before the run: nobody gives way */
	struct broken broken;
	/* The last cache line that was read, written or dropped, or NULL. */
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

/* machine.c */
/* Makes a new machine, on which nothing has run yet. */
void machine_init(const struct machine_config *config);
/* Records that an invariant is broken, unless one is already. */
void broken(int invariant, enum verdict verdict, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* context.c */
bool context_is_interrupt(uint32_t nr);
/* Whether its next operation has to wait. */
bool context_is_blocked(const struct context *c);
/* Whether it can make a step. */
bool context_is_ready(uint32_t nr);
/* Let it make a step: run until it gives way again. */
void context_start(uint32_t nr);
void context_resume(uint32_t nr);
/* The end of its stack, of which the part from its sp on is kept. */
char *context_stack_end(uint32_t nr);
/* Whether an interrupt can be taken now. */
bool interrupt_is_due(uint32_t nr);
void interrupt_begin(uint32_t nr);
/* Whether a context on this CPU has turned interrupts off. */
bool irqs_are_off(int cpu);

/* memory.c */
/* How many results the context's next operation can have. */
uint32_t atomic_choices(const struct context *c, int cpu);
size_t weak_bytes(void);
/* A context of this CPU now holds the page. */
void sync_hold(int page);
/* Whether this CPU sees the page's last user. */
bool sync_sees_hold(int page);

/* mmu.c */
#define WINDOW_BASE 0x10000u
/* If the address is in no slot, an invariant is broken; returns 0 then. */
uint32_t slot_of(const void *addr);
/* The CPU takes the inter-processor interrupt, and flushes its TLB. */
void answer_flush(int cpu);

/* port.c */
/* The machine's cache, as its port describes it to pkmap. */
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

/* checks.c */
/* At the end of a run: whether what the owners wrote is still there. */
void check_end(void);
/* The step of @actor closes a cycle that is a livelock. */
void broken_livelock(uint8_t actor);
/* After each step: which of the pins in progress may say "not mapped". */
void watch_pins(void);
/* The current pin of @page says that the page is not mapped. */
void check_miss(int page);

/*
 * log.c: fills in a timeline during a run.  A context's lane is its number; a
 * cache's lane is -1 - its number.
 */
#define DEVICE_LANE 100
void log_event(int lane, enum event_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* To be called before run_begin(). */
void log_open(struct timeline *timeline);
void log_before_step(struct action action);
/* After run_begin(), and after each step. */
void log_after_step(void);
/* At the end of the run: what is wrong then is shown in a lane that waits. */
void log_end(void);
/* Returns 0, or -1 if there was not enough memory. */
int log_close(void);

#endif /* MACHINE_MODEL_MODEL_H */
