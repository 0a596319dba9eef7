/* SPDX-License-Identifier: MIT */
/*
 * A kernel module that dies on request, for lab dumps whose stacks cross
 * from one kind of stack to another:
 *
 *	null		a NULL dereference in its init function (task stack)
 *	bug		BUG()
 *	overflow	endless recursion: guard page, double fault stack
 *	timer		a NULL dereference in a timer (softirq on the IRQ stack)
 *	thread		a NULL dereference in a kernel thread
 *	divide		a division by zero in an IPI on another CPU
 */

#include <linux/bug.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <linux/timer.h>

static char *how = "null";
module_param(how, charp, 0);

static int *volatile nowhere;
static volatile int zero;
static struct timer_list timer;

static noinline void
lab_touch(void)
{
	*nowhere = 1;
}

static noinline int
lab_overflow(int depth)
{
	volatile char room[512];

	room[depth & 511] = depth;
	return depth < 0 ? 0 : lab_overflow(depth + 1) + room[7];
}

static void
lab_timer(struct timer_list *t)
{
	lab_touch();
}

static int
lab_thread(void *arg)
{
	lab_touch();
	return 0;
}

static void
lab_divide(void *arg)
{
	zero = 1000 / zero;
}

static int __init
lab_init(void)
{
	if (!strcmp(how, "bug"))
		BUG();
	if (!strcmp(how, "overflow"))
		return lab_overflow(1);
	if (!strcmp(how, "timer")) {
		timer_setup(&timer, lab_timer, 0);
		mod_timer(&timer, jiffies + 2);
		msleep(1000);
	} else if (!strcmp(how, "thread")) {
		kthread_run(lab_thread, NULL, "lab-kthread");
		msleep(1000);
	} else if (!strcmp(how, "divide")) {
		smp_call_function_single(1, lab_divide, NULL, 1);
	} else {
		lab_touch();
	}
	return 0;
}

module_init(lab_init);
MODULE_DESCRIPTION("dies on request");
MODULE_LICENSE("Dual MIT/GPL");
