#include "textflag.h"

#define SYS_rt_sigaction 13
#define SYS_rt_sigprocmask 14

// The program's entry point, if the linker got -E _entrain_start. It records which signals were ignored and
// which were blocked, and then jumps to the Go runtime's entry point, which overwrites both. See inherit.go.
TEXT _entrain_start(SB),NOSPLIT|NOFRAME,$0
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
	MOVQ	$1, ·recorded(SB)
	ADDQ	$64, SP
	JMP	_rt0_amd64_linux(SB)
