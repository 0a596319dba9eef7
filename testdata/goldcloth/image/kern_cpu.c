/* SPDX-License-Identifier: MIT */
/*
 * The kernel's four processors with their threads and processes, as the
 * session's ::cpuinfo lists them.  Processor 0 runs the thread whose stack
 * overflowed.
 */
#include "kern.h"

extern cpu_t cpus[];
extern proc_t p0;
extern struct as kas;
extern void thread_start(void), taskq_thread(void), idle(void);

#define LBOLT 361904

static proc_t python, xenstored;
static klwp_t lwp1, lwp2, lwp_waiting1, lwp_waiting3;
static cpu_t cpu1, cpu2, cpu3;
static kthread_t thread0, thread1, thread2, thread3, idle0, idle1, idle2;

/* ---- dispatch queues --------------------------------------------------- */

#define DISP_Q(n) P(dispq_t, 0xc5434000 + 0x800 * (n))
#define NPRI 170

#define DISP(n, cpu, nrun, max)                                         \
	{                                                               \
		.disp_npri = NPRI, .disp_q = DISP_Q(n),                 \
		.disp_q_limit = DISP_Q(n) + NPRI,                       \
		.disp_qactmap = P(ulong_t, 0xc5436000 + 0x20 * (n)),    \
		.disp_maxrunpri = (max), .disp_max_unbound_pri = (max), \
		.disp_nrunnable = (nrun), .disp_cpu = (cpu)             \
	}

static kthread_t waiting1, waiting3;

/* A queue has room for all priorities; two of them are not empty. */
AT(0xc5434800)
static dispq_t queue1[NPRI] = { [59] = { &waiting1, &waiting1, 1 } };
AT(0xc5435800)
static dispq_t queue3[NPRI] = { [49] = { &waiting3, &waiting3, 1 } };
AT(0xc5436000)
static ulong_t qactmap
	[4][8] = { [1] = { 0, 1u << (59 - 32) }, [3] = { 0, 1u << (49 - 32) } };

IN(unix) disp_t cpu0_disp = DISP(0, cpus, 0, -1);
AT(0xc5430400) static disp_t disp1 = DISP(1, &cpu1, 1, 59);
AT(0xc5430440) static disp_t disp2 = DISP(2, &cpu2, 0, -1);
AT(0xc5430480) static disp_t disp3 = DISP(3, &cpu3, 1, 49);

/* ---- processors -------------------------------------------------------- */

#define CPU(id, self, after, before, disp, thread, idlethread, lwp, pri, rr) \
	{                                                                    \
		.cpu_id = (id), .cpu_seqid = (id),                           \
		.cpu_flags =                                                 \
			CPU_RUNNING | CPU_READY | CPU_EXISTS | CPU_ENABLE,   \
		.cpu_self = (self), .cpu_thread = (thread),                  \
		.cpu_idle_thread = (idlethread), .cpu_lwp = (lwp),           \
		.cpu_next = (after), .cpu_prev = (before),                   \
		.cpu_next_onln = (after), .cpu_prev_onln = (before),         \
		.cpu_next_part = (after), .cpu_prev_part = (before),         \
		.cpu_next_lpl = (after), .cpu_prev_lpl = (before),           \
		.cpu_disp = (disp), .cpu_runrun = (rr),                      \
		.cpu_dispthread = (thread), .cpu_dispatch_pri = (pri),       \
		.cpu_last_swtch = LBOLT, .cpu_state_name = "on-line",        \
		.cpu_m = {                                                   \
			.mcpu_vcpu_info = P(void, 0xf4bfe000 + 0x40 * (id))  \
		}                                                            \
	}

/* unix has room for one; the others come from the heap. */
AT(0xf50454b8)
cpu_t cpus[1] = { CPU(0, cpus, &cpu1, &cpu3, &cpu0_disp, &thread0, &idle0, 0,
	60, 0) };
AT(0xc5423080)
static cpu_t cpu1 =
	CPU(1, &cpu1, &cpu2, cpus, &disp1, &thread1, &idle1, &lwp1, 59, 1);
AT(0xc5a71a80)
static cpu_t cpu2 =
	CPU(2, &cpu2, &cpu3, &cpu1, &disp2, &thread2, &idle2, &lwp2, 59, 0);
AT(0xc5a70a00)
static cpu_t cpu3 =
	CPU(3, &cpu3, cpus, &cpu2, &disp3, &thread3, &thread3, 0, -1, 0);

IN(unix) cpu_t *cpu[NCPU] = { cpus, &cpu1, &cpu2, &cpu3 };
IN(unix) cpu_t *cpu_list = cpus;
IN(unix) cpu_t *cpu_active = cpus;
IN(unix) int ncpus = 4;
IN(unix) int ncpus_online = 4;
IN(unix) int max_ncpus = 4;
IN(unix) clock_t lbolt = LBOLT;
IN(unix) clock_t panic_lbolt = LBOLT;
IN(unix) hrtime_t panic_hrtime = 3619044101887LL;
IN(unix) longlong_t panic_lbolt64 = LBOLT;
IN(unix)
cpu_t panic_cpu =
	CPU(0, cpus, &cpu1, &cpu3, &cpu0_disp, &thread0, &idle0, 0, 60, 0);
IN(unix) kthread_t *panic_thread = &thread0;

/* ---- threads ----------------------------------------------------------- */

#define THREAD(prev, next, base, stack, p, lwp, c, prio, id, start)            \
	{                                                                      \
		.t_stk = P(char, stack), .t_stkbase = P(char, base),           \
		.t_startpc = (start), .t_flag = T_TALLOCSTK,                   \
		.t_schedflag = TS_LOAD | TS_DONT_SWAP, .t_state = TS_ONPROC,   \
		.t_pri = (prio), .t_cpu = (c), .t_did = (id), .t_tid = (id),   \
		.t_procp = (p), .t_lwp = (lwp), .t_next = (next),              \
		.t_prev = (prev), .t_cred = P(cred_t, 0xcd326e78),             \
		.t_lbolt = LBOLT, .t_bind_cpu = -1, .t_disp_queue = &cpu0_disp \
	}

/* A thread of the kernel's own lies on top of its stack. */
AT(0xc5a0ade0)
static kthread_t thread0 = THREAD(&waiting3, &thread1, 0xc5a09000, 0xc5a0add0,
	&p0, 0, cpus, 60, 151, taskq_thread);
AT(0xc6178ee0)
static kthread_t thread1 = THREAD(&thread0, &thread2, 0xc61ac000, 0xc61adf98,
	&python, &lwp1, &cpu1, 59, 1, 0);
AT(0xc617cac0)
static kthread_t thread2 = THREAD(&thread1, &thread3, 0xc61b0000, 0xc61b1f98,
	&xenstored, &lwp2, &cpu2, 59, 1, 0);
AT(0xc5afdde0)
static kthread_t thread3 = THREAD(&thread2, &idle0, 0xc5afc000, 0xc5afddd0, &p0,
	0, &cpu3, -1, 7, idle);
AT(0xc53fdde0)
static kthread_t idle0 = THREAD(&thread3, &idle1, 0xc53fc000, 0xc53fddd0, &p0,
	0, cpus, -1, 1, idle);
AT(0xc5af7de0)
static kthread_t idle1 = THREAD(&idle0, &idle2, 0xc5af6000, 0xc5af7dd0, &p0, 0,
	&cpu1, -1, 5, idle);
AT(0xc5afade0)
static kthread_t idle2 = THREAD(&idle1, &waiting1, 0xc5af9000, 0xc5afadd0, &p0,
	0, &cpu2, -1, 6, idle);
AT(0xc617a2e0)
static kthread_t waiting1 = THREAD(&idle2, &waiting3, 0xc61a8000, 0xc61a9f98,
	&python, &lwp_waiting1, &cpu1, 59, 2, 0);
AT(0xc617b4c0)
static kthread_t waiting3 = THREAD(&waiting1, &thread0, 0xc61a4000, 0xc61a5f98,
	&xenstored, &lwp_waiting3, &cpu3, 49, 2, 0);

#define LWP(thread, p)                                                   \
	{                                                                \
		.lwp_thread = (thread), .lwp_procp = (p), .lwp_state = 2 \
	}

AT(0xc6179240) static klwp_t lwp1 = LWP(&thread1, &python);
AT(0xc617a640) static klwp_t lwp_waiting1 = LWP(&waiting1, &python);
AT(0xc617b820) static klwp_t lwp_waiting3 = LWP(&waiting3, &xenstored);
AT(0xc617ce80) static klwp_t lwp2 = LWP(&thread2, &xenstored);

/* ---- processes --------------------------------------------------------- */

AT(0xc5400900) static struct pid pid0 = { 0, 0, 2 };
AT(0xc61704c0) static struct pid python_pid = { 1, 1217, 3 };
AT(0xc61704e0) static struct pid xenstored_pid = { 1, 523, 3 };
AT(0xc6190100)
static struct as python_as = { .a_userlimit = P(char, 0xc0000000) };
AT(0xc6190180)
static struct as xenstored_as = { .a_userlimit = P(char, 0xc0000000) };

#define PROC(spaces, after, before, id, flag, threads, comm, args)            \
	{                                                                     \
		.p_as = (spaces), .p_stat = SRUN, .p_pidp = (id),             \
		.p_pgidp = (id), .p_flag = SLOAD | (flag), .p_next = (after), \
		.p_prev = (before), .p_tlist = (threads),                     \
		.p_cred = P(struct cred, 0xcd326e78), .p_parent = &p0,        \
		.p_lwpcnt = 1, .p_user = {                                    \
			.u_comm = comm,                                       \
			.u_psargs = args,                                     \
		}                                                             \
	}

IN(unix)
proc_t p0 = PROC(&kas, 0, &xenstored, &pid0, SSYS, &thread0, "sched", "sched");
AT(0xc61801c8)
static proc_t python = PROC(&python_as, &xenstored, 0, &python_pid, 0, &thread1,
	"python2.4", "/usr/bin/python2.4 /usr/sbin/xend start");
AT(0xc6182960)
static proc_t xenstored = PROC(&xenstored_as, &p0, &python, &xenstored_pid, 0,
	&thread2, "xenstored", "/usr/lib/xenstored --pid-file=/var/run/xs.pid");
IN(unix) proc_t *practive = &python;
IN(unix) struct as kas = { .a_userlimit = 0 };
