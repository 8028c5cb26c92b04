#include "textflag.h"

// What the Go runtime would not tell: see inherit.go and signals.go for the why.

#define SYS_write 1
#define SYS_rt_sigaction 13
#define SYS_rt_sigprocmask 14
#define SYS_rt_sigreturn 15
#define SYS_prctl 157

#define PR_SET_TIMERSLACK 29
#define PR_GET_TIMERSLACK 30
#define SLACK 1000000		// nanoseconds

// The program's entry point in place of the runtime's own, which it ends by jumping to. The linker takes the first
// definition where the other is DUPOK; if it ever takes the runtime's, nothing is recorded and nothing breaks.
TEXT _rt0_amd64_linux(SB),NOSPLIT|NOFRAME|DUPOK,$0
	SUBQ	$64, SP			// a struct sigaction
	MOVQ	$1, R12			// the signal
	XORQ	R13, R13		// bit N-1 for an ignored signal N
next:
	MOVQ	R12, DI
	XORQ	SI, SI
	MOVQ	SP, DX
	MOVQ	$8, R10
	MOVQ	$SYS_rt_sigaction, AX
	SYSCALL
	TESTQ	AX, AX
	JNE	skip
	CMPQ	0(SP), $1		// SIG_IGN
	JNE	skip
	LEAQ	-1(R12), CX
	BTSQ	CX, R13
skip:
	INCQ	R12
	CMPQ	R12, $31
	JLE	next
	MOVQ	R13, ·inheritedIgnored(SB)
	XORQ	DI, DI
	XORQ	SI, SI
	LEAQ	·inheritedBlocked(SB), DX
	MOVQ	$8, R10
	MOVQ	$SYS_rt_sigprocmask, AX
	SYSCALL
	MOVQ	$PR_GET_TIMERSLACK, DI
	MOVQ	$SYS_prctl, AX
	SYSCALL
	MOVQ	AX, ·inheritedSlack(SB)
	MOVQ	$PR_SET_TIMERSLACK, DI
	MOVQ	$SLACK, SI
	MOVQ	$SYS_prctl, AX
	SYSCALL
	ADDQ	$64, SP
	JMP	_rt0_amd64(SB)

// The handler of caught signals: it writes the signal's number as one byte into a pipe.
TEXT ·handler(SB),NOSPLIT|NOFRAME,$0
	SUBQ	$24, SP
	MOVQ	DI, 0(SP)
	MOVQ	·signalPipe(SB), DI
	MOVQ	SP, SI
	MOVQ	$1, DX
	MOVQ	$SYS_write, AX
	SYSCALL
	ADDQ	$24, SP
	RET

// The same for signals that also mean a fault of our own: si_code above zero says that the kernel raised it, and
// then it is the runtime's to turn into a panic.
TEXT ·faultHandler(SB),NOSPLIT|NOFRAME,$0
	MOVL	8(SI), AX
	CMPL	AX, $0
	JGT	fault
	JMP	·handler(SB)
fault:
	MOVQ	·runtimeHandler(SB), AX
	JMP	AX

TEXT ·restorer(SB),NOSPLIT|NOFRAME,$0
	MOVQ	$SYS_rt_sigreturn, AX
	SYSCALL
	INT	$3

// func handlers() (all, fault, restorer uintptr)
TEXT ·handlers(SB),NOSPLIT,$0-24
	LEAQ	·handler(SB), AX
	MOVQ	AX, all+0(FP)
	LEAQ	·faultHandler(SB), AX
	MOVQ	AX, fault+8(FP)
	LEAQ	·restorer(SB), AX
	MOVQ	AX, restorer+16(FP)
	RET

// func deepen()
TEXT ·deepen(SB),0,$28672-0
	RET
