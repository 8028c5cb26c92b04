#include "textflag.h"

// As entry_amd64.s, which has the comments.

#define SYS_write 64
#define SYS_rt_sigaction 134
#define SYS_rt_sigprocmask 135
#define SYS_rt_sigreturn 139
#define SYS_prctl 167

#define PR_SET_TIMERSLACK 29
#define PR_GET_TIMERSLACK 30
#define SLACK 1000000

TEXT _rt0_arm64_linux(SB),NOSPLIT|NOFRAME|DUPOK,$0
	SUB	$64, RSP
	MOVD	$1, R19
	MOVD	ZR, R20
next:
	MOVD	R19, R0
	MOVD	ZR, R1
	MOVD	RSP, R2
	MOVD	$8, R3
	MOVD	$SYS_rt_sigaction, R8
	SVC
	CBNZ	R0, skip
	MOVD	0(RSP), R4
	CMP	$1, R4
	BNE	skip
	SUB	$1, R19, R5
	MOVD	$1, R6
	LSL	R5, R6, R6
	ORR	R6, R20, R20
skip:
	ADD	$1, R19
	CMP	$31, R19
	BLE	next
	MOVD	R20, ·inheritedIgnored(SB)
	MOVD	ZR, R0
	MOVD	ZR, R1
	MOVD	$·inheritedBlocked(SB), R2
	MOVD	$8, R3
	MOVD	$SYS_rt_sigprocmask, R8
	SVC
	MOVD	$PR_GET_TIMERSLACK, R0
	MOVD	$SYS_prctl, R8
	SVC
	MOVD	R0, ·inheritedSlack(SB)
	MOVD	$PR_SET_TIMERSLACK, R0
	MOVD	$SLACK, R1
	MOVD	$SYS_prctl, R8
	SVC
	ADD	$64, RSP
	B	_rt0_arm64(SB)

TEXT ·handler(SB),NOSPLIT|NOFRAME,$0
	SUB	$16, RSP
	MOVD	R0, 0(RSP)
	MOVD	·signalPipe(SB), R0
	MOVD	RSP, R1
	MOVD	$1, R2
	MOVD	$SYS_write, R8
	SVC
	ADD	$16, RSP
	RET

TEXT ·faultHandler(SB),NOSPLIT|NOFRAME,$0
	MOVW	8(R1), R3
	CMPW	$0, R3
	BGT	fault
	B	·handler(SB)
fault:
	MOVD	·runtimeHandler(SB), R3
	B	(R3)

TEXT ·restorer(SB),NOSPLIT|NOFRAME,$0
	MOVD	$SYS_rt_sigreturn, R8
	SVC
	BRK

// func handlers() (all, fault, restorer uintptr)
TEXT ·handlers(SB),NOSPLIT,$0-24
	MOVD	$·handler(SB), R0
	MOVD	R0, all+0(FP)
	MOVD	$·faultHandler(SB), R0
	MOVD	R0, fault+8(FP)
	MOVD	$·restorer(SB), R0
	MOVD	R0, restorer+16(FP)
	RET

// func deepen()
TEXT ·deepen(SB),0,$28672-0
	RET
