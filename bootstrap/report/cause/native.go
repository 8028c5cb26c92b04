package cause

import (
	"regexp"
	"strings"
	"sync"
)

// native reads the messages that a runtime, the C library or a sanitizer prints before it ends the process.
func native(p *process) []finding {
	var found []finding
	pattern := sync.OnceValue(nativePattern)
	for i := 0; i < len(p.lines); i++ {
		text := p.lines[i].text
		if p.taken[i] || !mayTellOfFailure(text) || !pattern().MatchString(text) {
			continue
		}
		var f finding
		switch {
		case strings.Contains(text, "terminate called after"):
			f, i = p.terminate(i)
		case strings.Contains(text, "Sanitizer: "):
			f, i = p.sanitizer(i)
		case strings.HasSuffix(text, "TaskFailedException"):
			f, i = p.failedTask(i)
		default:
			f, i = p.runtimeMessage(i)
		}
		f.deadly = true
		if isDeviceAssertion(f.text) {
			f.kind = said
		}
		found = append(found, grade(f))
	}
	return found
}

// runtimeMessage reads the last message of a runtime, without the words in front of the exception's name. It
// also returns the number of the last line.
func (p *process) runtimeMessage(i int) (finding, int) {
	text := p.lines[i].text
	for _, head := range []string{"uncaught exception of type ", unhandled} {
		if _, after, ok := strings.Cut(text, head); ok {
			text = after
		}
	}
	joined, last := p.message(i)
	if strings.HasPrefix(p.nextText(i), "Fortran runtime error: ") {
		joined, last = text+": "+p.nextText(i), i+1
	}
	return p.newFinding(cause, i, last, text+strings.TrimPrefix(joined, p.lines[i].text)), last
}

// nativePattern matches, in this order: Go's runtime; libstdc++ and libc++; assert(3) and the assertions
// of CUDA; the sanitizers of LLVM and GCC; R's crash report and glibc's own checks; CPython's
// faulthandler; glog and Abseil, which TensorFlow, JAX and XLA use; gfortran and Intel Fortran; Julia;
// .NET; a stack overflow in Rust; LLVM, which XLA and MLIR use.
func nativePattern() *regexp.Regexp {
	return regexp.MustCompile(`^(?:panic: |fatal error: \S+ |terminate called |libc\+\+abi: terminating |` +
		`.*[:\]] Assertion .* failed|.*Assertion failed: |` +
		`(?:==\d+==)?.*(?:ERROR|WARNING): (?:Address|HWAddress|Leak|Memory|Thread|` +
		`UndefinedBehavior)Sanitizer: |\S+:\d+:\d+: runtime error: |` +
		`\*\*\* .*detected \*\*\*| \*\*\* caught \w+ \*\*\*|` +
		`free\(\): |double free|corrupted |malloc(?:_consolidate)?\(\): |realloc\(\): |munmap_chunk|` +
		`Fatal Python error: |F\d{4,8} \d\d:\d\d:|\d{4}-\d\d-\d\d .*: F \S+:\d+\] |` +
		`At line \d+ of file |forrtl: severe|Fortran runtime error: |ERROR STOP|Program received signal SIG|` +
		`ERROR: (?:LoadError: |TaskFailedException)|Unhandled exception\. |` +
		`thread '.*' (?:\(\d+\) )?has overflowed its stack|LLVM ERROR: |SIG[A-Z]+: )`)
}

// isDeviceAssertion reports whether a line reports a failed assertion in a CUDA kernel.
func isDeviceAssertion(text string) bool {
	return strings.Contains(text, ": block: [") && strings.Contains(text, "] Assertion ")
}

// terminate reads what libstdc++ prints about an exception that nobody caught: its type, and its what()
// in one of the next lines. It also returns the number of the last line.
func (p *process) terminate(first int) (finding, int) {
	_, kind, found := strings.Cut(p.lines[first].text, "after throwing an instance of '")
	for i := first + 1; found && i < min(first+10, len(p.lines)); i++ {
		if _, what, ok := strings.Cut(p.lines[i].text, "what():  "); ok {
			joined, last := p.message(i)
			_, what, _ = strings.Cut(joined, what[:0]+"what():  ")
			return p.newFinding(cause, first, last, strings.TrimSuffix(kind, "'")+": "+what), last
		}
	}
	return p.newFinding(cause, first, first, p.lines[first].text), first
}

// failedTask reads what Julia prints about a task that failed, and returns the error of the innermost
// task. It also returns the number of that error's line.
func (p *process) failedTask(first int) (finding, int) {
	text, last := p.lines[first].text, first
	for i := first + 1; i < len(p.lines) && (p.lines[i].text == "" || isIndented(p.lines[i].text)); i++ {
		if _, nested, ok := strings.Cut(p.lines[i].text, "nested task error: "); ok {
			text, last = "ERROR: TaskFailedException: "+nested, i
		}
	}
	return p.newFinding(cause, first, last, text), last
}

// sanitizer reads the report of a sanitizer. It returns the summary if that names a place in the source or
// counts leaked bytes, else the first line. It also returns the number of the last line that it read.
func (p *process) sanitizer(first int) (finding, int) {
	for i := first + 1; i < min(first+300, len(p.lines)); i++ {
		text := p.lines[i].text
		if strings.HasPrefix(text, "SUMMARY: ") && strings.Contains(text, "Sanitizer: ") {
			if strings.Count(text, ":") < 3 && !strings.Contains(text, " leaked in ") {
				break
			}
			return p.newFinding(cause, first, i, text), i
		}
	}
	return p.newFinding(cause, first, first, p.lines[first].text), first
}
