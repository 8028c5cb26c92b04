package cause

import (
	"regexp"
	"strings"
	"sync"
)

// native reads what a runtime, the C library or a sanitizer prints before it ends the process.
func native(p *process) []finding {
	var found []finding
	pattern := sync.OnceValue(nativePattern)
	for i := 0; i < len(p.lines); i++ {
		text := p.lines[i].text
		if p.taken[i] || !mayTell(text) || !pattern().MatchString(text) {
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
			f, i = p.last(i)
		}
		f.deadly = true
		if isDeviceAssertion(f.text) {
			f.kind = said
		}
		found = append(found, grade(f))
	}
	return found
}

// last is the last word of a runtime: a message, without what stands before the exception's name.
func (p *process) last(i int) (finding, int) {
	text := p.lines[i].text
	for _, head := range []string{"uncaught exception of type ", unhandled} {
		if _, after, ok := strings.Cut(text, head); ok {
			text = after
		}
	}
	joined, last := p.message(i)
	if strings.HasPrefix(p.next(i), "Fortran runtime error: ") {
		joined, last = text+": "+p.next(i), i+1
	}
	return p.find(cause, i, last, text+strings.TrimPrefix(joined, p.lines[i].text)), last
}

// nativePattern has, in this order: Go's runtime; libstdc++ and libc++; assert(3) and CUDA's; the sanitizers
// of LLVM and GCC; glibc's own checks; R's; CPython's faulthandler; glog and Abseil, which TensorFlow, JAX and XLA
// use; gfortran and Intel Fortran; Julia; .NET; a full stack of Rust's; XLA and MLIR.
func nativePattern() *regexp.Regexp {
	return regexp.MustCompile(`^(?:panic: |fatal error: \S+ |terminate called |libc\+\+abi: terminating |` +
		`.*[:\]] Assertion .* failed|.*Assertion failed: |` +
		`(?:==\d+==)?.*(?:ERROR|WARNING): (?:Address|HWAddress|Leak|Memory|Thread|` +
		`UndefinedBehavior)Sanitizer: |\S+:\d+:\d+: runtime error: |` +
		`\*\*\* .*detected \*\*\*| \*\*\* caught \w+ \*\*\*|free\(\): |double free|corrupted |malloc(?:_consolidate)?\(\): |` +
		`realloc\(\): |munmap_chunk|` +
		`Fatal Python error: |F\d{4,8} \d\d:\d\d:|\d{4}-\d\d-\d\d .*: F \S+:\d+\] |` +
		`At line \d+ of file |forrtl: severe|Fortran runtime error: |ERROR STOP|` +
		`Program received signal SIG|` +
		`ERROR: (?:LoadError: |TaskFailedException)|Unhandled exception\. |` +
		`thread '.*' (?:\(\d+\) )?has overflowed its stack|LLVM ERROR: |SIG[A-Z]+: )`)
}

// isDeviceAssertion says whether a line is of an assertion in a CUDA kernel.
func isDeviceAssertion(text string) bool {
	return strings.Contains(text, ": block: [") && strings.Contains(text, "] Assertion ")
}

// terminate is what libstdc++ says of an exception that nobody caught: its type, and its what() in the next
// line.
func (p *process) terminate(first int) (finding, int) {
	_, kind, found := strings.Cut(p.lines[first].text, "after throwing an instance of '")
	for i := first + 1; found && i < min(first+10, len(p.lines)); i++ {
		if _, what, ok := strings.Cut(p.lines[i].text, "what():  "); ok {
			joined, last := p.message(i)
			_, what, _ = strings.Cut(joined, what[:0]+"what():  ")
			return p.find(cause, first, last, strings.TrimSuffix(kind, "'")+": "+what), last
		}
	}
	return p.find(cause, first, first, p.lines[first].text), first
}

// failedTask is what Julia says of a task that failed: the error of the innermost one.
func (p *process) failedTask(first int) (finding, int) {
	text, last := p.lines[first].text, first
	for i := first + 1; i < len(p.lines) && (p.lines[i].text == "" || isIndented(p.lines[i].text)); i++ {
		if _, nested, ok := strings.Cut(p.lines[i].text, "nested task error: "); ok {
			text, last = "ERROR: TaskFailedException: "+nested, i
		}
	}
	return p.find(cause, first, last, text), last
}

// sanitizer is a sanitizer's report: its summary where that names a place in the source, or counts what leaked.
func (p *process) sanitizer(first int) (finding, int) {
	for i := first + 1; i < min(first+300, len(p.lines)); i++ {
		text := p.lines[i].text
		if strings.HasPrefix(text, "SUMMARY: ") && strings.Contains(text, "Sanitizer: ") {
			if strings.Count(text, ":") < 3 && !strings.Contains(text, " leaked in ") {
				break
			}
			return p.find(cause, first, i, text), i
		}
	}
	return p.find(cause, first, first, p.lines[first].text), first
}
