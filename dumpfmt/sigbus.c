/* SPDX-License-Identifier: MIT */
/*
 * SIGBUS in a mapped dump: the file shrank under us, or its disk fails.
 *
 * The handler runs in the thread that touched the page.  It looks the address
 * up in a fixed table of guarded mappings, sets that mapping's mark, and only
 * then maps a zero page under the access, so that whoever sees the zeros can
 * also see the mark.  A fault anywhere else goes to the handler that was there
 * before us, or kills the process as it would have without us.
 *
 * A signal handler gets no argument of ours: the table is the one piece of
 * this library that belongs to the process.  A place is taken with a
 * compare-and-swap on its length; the handler reads it without a lock.
 */
#include "dfmt-source.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#define MAX_GUARDS 256
#define HOST_PAGE 4096u

struct guard {
	atomic_bool taken;
	_Atomic uintptr_t base;
	_Atomic uintptr_t end; /* 0: not in force */
	_Atomic(atomic_bool *) faulted;
};

static struct guard guards[MAX_GUARDS];
static struct sigaction previous;
static pthread_mutex_t install_lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool passing_on;

static struct guard *
guard_at(uintptr_t addr)
{
	for (size_t i = 0; i < MAX_GUARDS; i++) {
		struct guard *g = &guards[i];

		if (addr < atomic_load(&g->end) && addr >= g->base)
			return g;
	}
	return NULL;
}

/* The access faults again when we return, and then it kills. */
static void
give_up(void)
{
	(void)signal(SIGBUS, SIG_DFL);
}

static void
pass_on(int sig, siginfo_t *info, void *context)
{
	/* Two handlers may have each other as the one before: end that. */
	bool again = passing_on;

	passing_on = true;
	if (!again && previous.sa_flags & SA_SIGINFO)
		previous.sa_sigaction(sig, info, context);
	else if (!again && previous.sa_handler != SIG_DFL &&
		 previous.sa_handler != SIG_IGN)
		previous.sa_handler(sig);
	else
		give_up();
	passing_on = again;
}

static void
on_sigbus(int sig, siginfo_t *info, void *context)
{
	uint8_t *addr = info->si_addr;
	struct guard *g = guard_at((uintptr_t)addr);

	if (!g) {
		pass_on(sig, info, context);
		return;
	}
	atomic_store(atomic_load(&g->faulted), true);
	addr -= (uintptr_t)addr % HOST_PAGE;
	void *page = mmap(addr, HOST_PAGE, PROT_READ,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (page == MAP_FAILED)
		pass_on(sig, info, context);
}

/* Makes ours the handler; also when somebody set another since. */
static bool
install(void)
{
	struct sigaction ours = { .sa_sigaction = on_sigbus,
		.sa_flags = SA_SIGINFO | SA_NODEFER };
	struct sigaction now;
	bool done = true;

	sigemptyset(&ours.sa_mask);
	pthread_mutex_lock(&install_lock);
	if (sigaction(SIGBUS, NULL, &now) != 0) {
		done = false;
	} else if (!(now.sa_flags & SA_SIGINFO) ||
		   now.sa_sigaction != on_sigbus) {
		previous = now;
		done = sigaction(SIGBUS, &ours, NULL) == 0;
	}
	pthread_mutex_unlock(&install_lock);
	return done;
}

bool
dfmt_sigbus_guard(const void *base, uint64_t len, atomic_bool *faulted)
{
	if (!install())
		return false;
	for (size_t i = 0; i < MAX_GUARDS; i++) {
		struct guard *g = &guards[i];
		bool free_place = false;

		if (!atomic_compare_exchange_strong(&g->taken, &free_place,
			    true))
			continue;
		atomic_store(&g->base, (uintptr_t)base);
		atomic_store(&g->faulted, faulted);
		atomic_store(&g->end, (uintptr_t)base + len);
		return true;
	}
	return false;
}

void
dfmt_sigbus_unguard(const void *base)
{
	for (size_t i = 0; i < MAX_GUARDS; i++) {
		struct guard *g = &guards[i];

		if (!atomic_load(&g->end) || g->base != (uintptr_t)base)
			continue;
		atomic_store(&g->end, 0);
		atomic_store(&g->taken, false);
		return;
	}
}
