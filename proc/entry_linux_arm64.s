#include "textflag.h"

#define SYS_rt_sigaction 134
#define SYS_rt_sigprocmask 135

// It does the same as entry_linux_amd64.s, which has the comments.
TEXT _entrain_start(SB),NOSPLIT|NOFRAME,$0
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
	MOVD	$1, R6
	MOVD	R6, ·recorded(SB)
	ADD	$64, RSP
	B	_rt0_arm64_linux(SB)
