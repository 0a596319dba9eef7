/* SPDX-License-Identifier: MIT */
/*
 * The program that gives a lab guest something to find.
 *
 *   worker           threads named lab-*, each blocked in a known call, a
 *                    stopped, a dead and an uninterruptible child; prints
 *                    "LAB: worker PID" when all are there
 *   worker ps        every task from /proc: pid tgid ppid state comm
 *   worker stacks    every task's kernel stack, as the kernel unwinds it
 *   worker secret SEED  holds 32 bytes that only SEED tells, in memory of its
 *                    own and in a file of /tmp (secrets_planted.py looks for them)
 *   worker writes DEV  writes block after block past the cache, for good: block
 *                    N mod 1024 is filled with the 64-bit word N; prints "LAB:
 *                    wrote N" when the device has said that it is there
 *
 * The oracle modes leave themselves out: what they print is what is still
 * there when the dump is taken.  Static, no library but libc.
 */

/* NOLINTBEGIN: odd on purpose (fixed addresses, a vfork that waits), and what
 * fails here is missing in the dump. */
#define _GNU_SOURCE /* O_DIRECT */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if UINTPTR_MAX > UINT32_MAX
#define NEEDLE_MAP 0x500000000000ul
#else
#define NEEDLE_MAP 0x50000000ul
#endif
#define NEEDLE_LEN 0x40000ul
#define NEEDLE_ADDR (NEEDLE_MAP + 0x181c8)
#define NEEDLE 0xC0FFEE11D00DFEEDull
#define PATTERN 0xA5A5A5A5A5A5A5A5ull
#define TEXT_ADDR (NEEDLE_MAP + 0x18200)
#define TEXT "CRASHLAB-STRING-NEEDLE-0001"

#define SECRET_LEN 65536u

static int pipe_fds[2], poll_fds[2], sock_fds[2];
static uint32_t futex_word;

static void
do_nanosleep(void)
{
	nanosleep(&(struct timespec){ .tv_sec = 1000000 }, NULL);
}

static void
do_futex(void)
{
	syscall(SYS_futex, &futex_word, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void
do_poll(void)
{
	poll(&(struct pollfd){ .fd = poll_fds[0], .events = POLLIN }, 1, -1);
}

static void
do_piperead(void)
{
	char c;

	if (read(pipe_fds[0], &c, 1) < 0)
		perror("pipe");
}

static void
do_epoll(void)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int fd = epoll_create1(0);

	epoll_ctl(fd, EPOLL_CTL_ADD, poll_fds[0], &ev);
	epoll_wait(fd, &ev, 1, -1);
}

static void
do_unixrecv(void)
{
	char c;

	recv(sock_fds[0], &c, 1, 0);
}

static void
do_spin(void)
{
	static atomic_ulong n;

	if (getenv("LAB_NOSPIN") != NULL)
		pause();
	for (;;)
		n++;
}

static const struct job {
	const char *name;
	void (*run)(void);
} jobs[] = {
	{ "lab-nanosleep", do_nanosleep },
	{ "lab-futex", do_futex },
	{ "lab-poll", do_poll },
	{ "lab-piperead", do_piperead },
	{ "lab-epoll", do_epoll },
	{ "lab-unixrecv", do_unixrecv },
	{ "lab-spin", do_spin },
};

static void *
run_job(void *arg)
{
	const struct job *job = arg;

	prctl(PR_SET_NAME, job->name);
	for (;;)
		job->run();
	return NULL;
}

static void
make_needle(void)
{
	char *p = mmap((void *)NEEDLE_MAP, NEEDLE_LEN, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	for (uintptr_t a = NEEDLE_MAP; a < NEEDLE_MAP + NEEDLE_LEN; a += 8)
		*(uint64_t *)a = a ^ PATTERN;
	*(uint64_t *)NEEDLE_ADDR = NEEDLE;
	strcpy((char *)TEXT_ADDR, TEXT);
}

/* A parent waits for its vfork child in D state until the child execs. */
static void
make_children(void)
{
	if (fork() == 0) {
		prctl(PR_SET_NAME, "lab-dstate");
		if (vfork() == 0) {
			prctl(PR_SET_NAME, "lab-vchild");
			for (;;)
				pause();
		}
		_exit(0);
	}
	if (fork() == 0) {
		prctl(PR_SET_NAME, "lab-stopped");
		raise(SIGSTOP);
		_exit(0);
	}
	if (fork() == 0) {
		prctl(PR_SET_NAME, "lab-zombie");
		_exit(0);
	}
}

static int
work(void)
{
	pthread_t t;

	prctl(PR_SET_NAME, "lab-main");
	make_needle();
	make_children();
	if (pipe(pipe_fds) || pipe(poll_fds) ||
		socketpair(AF_UNIX, SOCK_STREAM, 0, sock_fds))
		return 1;
	for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++)
		pthread_create(&t, NULL, run_job, (void *)&jobs[i]);
	sleep(1);
	printf("LAB: worker %d\n", getpid());
	fflush(stdout);
	for (;;)
		pause();
}

static void
show_ps(int tgid, int tid)
{
	char path[64], line[512], *comm, *end, state;
	int ppid;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/task/%d/stat", tgid, tid);
	f = fopen(path, "r");
	if (!f)
		return;
	if (fgets(line, sizeof line, f) && (comm = strchr(line, '(')) &&
		(end = strrchr(line, ')')) &&
		sscanf(end + 1, " %c %d", &state, &ppid) == 2) {
		*end = 0;
		printf("%d %d %d %c %s\n", tid, tgid, ppid, state, comm + 1);
	}
	fclose(f);
}

static void
show_stack(int tgid, int tid)
{
	char path[64], line[512];
	FILE *f;

	printf("# %d\n", tid);
	snprintf(path, sizeof path, "/proc/%d/task/%d/stack", tgid, tid);
	f = fopen(path, "r");
	if (!f)
		return;
	while (fgets(line, sizeof line, f))
		fputs(line, stdout);
	fclose(f);
}

static void
each_number(const char *path, void (*visit)(int, void *), void *arg)
{
	DIR *dir = opendir(path);
	struct dirent *de;

	if (!dir)
		return;
	while ((de = readdir(dir)))
		if (isdigit((unsigned char)de->d_name[0]))
			visit(atoi(de->d_name), arg);
	closedir(dir);
}

struct visit {
	void (*show)(int tgid, int tid);
	int tgid;
};

static void
visit_task(int tid, void *arg)
{
	struct visit *v = arg;

	v->show(v->tgid, tid);
}

static void
visit_process(int pid, void *arg)
{
	struct visit *v = arg;
	char path[64];

	if (pid == getpid())
		return;
	v->tgid = pid;
	snprintf(path, sizeof path, "/proc/%d/task", pid);
	each_number(path, visit_task, v);
}

/* Word by word: what goes through a vector register stays in the kernel. */
static void
secret_put(volatile uint64_t *to, uint64_t seed, uint64_t place)
{
	for (size_t i = 0; i < SECRET_LEN / 8; i++) {
		uint64_t v = (seed + place * 4 + i % 4 + 1) *
			     0x9e3779b97f4a7c15u;

		v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9u;
		v = (v ^ v >> 27) * 0x94d049bb133111ebu;
		to[i] = v ^ v >> 31;
	}
}

static int
secret(const char *seed)
{
	uint64_t n = strtoull(seed, NULL, 16);
	int fd = open("/tmp/secret", O_RDWR | O_CREAT, 0600);
	void *own = mmap(NULL, SECRET_LEN, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *file = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, SECRET_LEN) == 0)
		file = mmap(NULL, SECRET_LEN, PROT_READ | PROT_WRITE,
			MAP_SHARED, fd, 0);
	if (own == MAP_FAILED || file == MAP_FAILED) {
		puts("LAB: no secret");
		return 1;
	}
	secret_put(own, n, 0);
	secret_put(file, n, 1);
	puts("LAB: secret");
	fflush(stdout);
	for (;;)
		pause();
}

#define BLOCK 4096u
#define NR_BLOCKS 1024u

static int
writes(const char *path)
{
	static uint64_t block[BLOCK / 8] __attribute__((aligned(BLOCK)));
	int fd = open(path, O_WRONLY | O_DIRECT | O_DSYNC);

	prctl(PR_SET_NAME, "lab-writes");
	for (uint64_t n = 1; fd >= 0; n++) {
		for (size_t i = 0; i < BLOCK / 8; i++)
			block[i] = n;
		if (pwrite(fd, block, BLOCK, (off_t)(n % NR_BLOCKS * BLOCK)) !=
			BLOCK)
			break;
		printf("LAB: wrote %lu\n", (unsigned long)n);
		fflush(stdout);
	}
	printf("LAB: no write to %s\n", path);
	return 1;
}

int
main(int argc, char **argv)
{
	struct visit v = { .show = show_ps };

	if (argc < 2)
		return work();
	if (argc == 3 && !strcmp(argv[1], "secret"))
		return secret(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "writes"))
		return writes(argv[2]);
	if (!strcmp(argv[1], "stacks"))
		v.show = show_stack;
	each_number("/proc", visit_process, &v);
	return 0;
}
/* NOLINTEND */
