package cause

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// VerdictKind is the kind of a Verdict.
type VerdictKind int

// The kinds.
const (
	Aborted    VerdictKind = iota // a rank has called MPI_Abort
	Improper                      // a rank has ended with 0, and without MPI_Finalize
	TimeLimit                     // the launcher's own time limit is over
	Mistake                       // a call of MPI has failed in a rank
	RankFailed                    // a rank has failed in another way
)

// Verdict is what an MPI launcher says about a rank's end, or about its own.
type Verdict struct {
	Kind VerdictKind
	Rank int    // in MPI_COMM_WORLD; -1 where the launcher does not say which
	Code int    // of Aborted: the error code; -1 where the launcher does not say it
	Text string // its words, in one line
}

// Verdicts finds what a launcher says in its output, in the order of the lines. A rank's own output, which
// may hold the words of another launcher, does not count for Aborted, Improper and TimeLimit of Open MPI.
func Verdicts(output []byte) []Verdict {
	r := verdictReader{lines: untag(readable(output)), mistakes: map[string]*Verdict{}}
	for r.at = 0; r.at < len(r.lines); r.at++ {
		r.read()
	}
	return r.found
}

// HelpText returns the first help text in a launcher's own output that says why it, or a rank, has failed. It
// returns "" for none.
func HelpText(output []byte) string {
	for _, p := range processes(untag(readable(output))) {
		if p.tag != "" {
			continue
		}
		for _, f := range openMPI(p) {
			if f.kind == said && !f.follower {
				return f.text
			}
		}
	}
	return ""
}

// verdictReader reads the lines of a launcher one by one.
type verdictReader struct {
	lines    []line
	at       int
	found    []Verdict
	mistakes map[string]*Verdict // the mistakes that are not read to their end, by the start of their lines
}

func (r *verdictReader) read() {
	l := r.lines[r.at]
	text := strings.TrimSpace(l.text)
	isOwn := l.tag == "" || strings.Contains(l.tag, ",WILDCARD]")
	switch {
	case strings.HasPrefix(text, "Abort("):
		r.readMPICH(l, text)
	case strings.Contains(text, "] *** "):
		r.readMistake(text)
	case !isOwn:
	case strings.HasPrefix(text, "MPI_ABORT was invoked on rank "):
		r.readAbort(text)
	case strings.Contains(text, " has exited due to process rank "):
		r.readExit()
	case strings.HasPrefix(text, "The user-provided time limit for job execution has been reached"):
		r.readLimit(text)
	}
}

// paragraph joins the lines from the present one to the next blank line or ruler.
func (r *verdictReader) paragraph() string {
	const most = 6 // lines
	var words []string
	for _, l := range r.lines[r.at:min(r.at+most, len(r.lines))] {
		if l.text == "" || isHelpRuler(l.text) {
			break
		}
		words = append(words, l.text)
	}
	return joinWords(strings.Join(words, " "))
}

// readAbort reads "MPI_ABORT was invoked on rank 1 in communicator MPI_COMM_WORLD with errorcode 0.". The
// rank is that in the communicator. Open MPI 5 puts the process and the code into lines of their own:
// "Proc: [[6304,1],2]" and "Errorcode: 0".
func (r *verdictReader) readAbort(text string) {
	v := Verdict{Kind: Aborted, Rank: -1, Code: -1, Text: text}
	all := r.paragraph()
	const pattern = `^(\S+ was invoked on rank (\d+) in communicator (.*?)` +
		`(?: Proc: \[\[\d+,\d+\],(\d+)\])?(?: with errorcode| Errorcode:) (-?\d+))`
	parts := regexp.MustCompile(pattern).FindStringSubmatch(all)
	if parts != nil {
		v.Rank, v.Code = number(parts[4]), number(parts[5])
		if parts[3] == "MPI_COMM_WORLD" {
			v.Rank = number(parts[2])
		}
		const format = "MPI_ABORT was invoked on rank %s in communicator %s with errorcode %d"
		v.Text = fmt.Sprintf(format, parts[2], parts[3], v.Code)
	}
	r.found = append(r.found, v)
}

// readExit reads "mpirun has exited due to process rank 1 with PID 15 on node algo-2 exiting improperly.".
func (r *verdictReader) readExit() {
	sentence, _, _ := strings.Cut(r.paragraph(), ". ")
	const pattern = ` process rank (\d+) with PID \d+ on node \S+ (.*)$`
	parts := regexp.MustCompile(pattern).FindStringSubmatch(sentence)
	if parts == nil {
		return
	}
	v := Verdict{Rank: number(parts[1]), Code: -1, Text: strings.TrimSuffix(parts[2], ".")}
	switch {
	case strings.HasPrefix(v.Text, "exiting improperly"):
		v.Kind, v.Text = Improper, "exiting improperly: it ended without MPI_Finalize"
	case strings.Contains(v.Text, `calling "abort"`):
		v.Kind, v.Text = Aborted, "calling MPI_Abort"
	default:
		v.Kind = RankFailed
	}
	r.found = append(r.found, v)
}

// readMPICH reads "Abort(3) on node 1 (rank 1 in comm 0): application called MPI_Abort(…)". The library
// prints it in the rank. Node is the rank in MPI_COMM_WORLD. A rank that prints the words of another launcher
// has a second tag.
func (r *verdictReader) readMPICH(l line, text string) {
	parts := regexp.MustCompile(`^Abort\((-?\d+)\) on node (\d+) \(rank .*?\): (.*)$`).FindStringSubmatch(text)
	if parts == nil || l.tag != "" && l.tag != "["+parts[2]+"]" && l.tag != "[rank "+parts[2]+"]" {
		return
	}
	v := Verdict{Kind: Aborted, Rank: number(parts[2]), Code: number(parts[1]), Text: parts[3]}
	if !strings.HasPrefix(v.Text, "application called MPI_Abort") {
		v.Kind = Mistake
		p := process{lines: r.lines[r.at:], taken: make([]bool, len(r.lines)-r.at)}
		f, _ := p.mpichAbort(0)
		_, v.Text, _ = strings.Cut(f.text, "): ")
	}
	r.found = append(r.found, v)
}

// readMistake reads the lines "[host:pid] *** …" that an Open MPI prints when a call fails: the function, the
// rank as "reported by process [job,rank]", and the error.
func (r *verdictReader) readMistake(text string) {
	start, rest, _ := strings.Cut(text, " *** ")
	if function, ok := strings.CutPrefix(rest, "An error occurred in "); ok {
		r.mistakes[start] = &Verdict{Kind: Mistake, Rank: -1, Code: -1, Text: function}
		return
	}
	v := r.mistakes[start]
	if v == nil {
		return
	}
	if process, ok := strings.CutPrefix(rest, "reported by process ["); ok {
		_, rank, _ := strings.Cut(strings.TrimSuffix(process, "]"), ",")
		v.Rank = number(rank)
	}
	if strings.HasPrefix(rest, "MPI_ERR_") {
		v.Text += ": " + rest
		r.found = append(r.found, *v)
		delete(r.mistakes, start)
	}
}

// readLimit reads the time limit of --timeout or MPIEXEC_TIMEOUT.
func (r *verdictReader) readLimit(text string) {
	for _, l := range r.lines[r.at:min(r.at+4, len(r.lines))] {
		if limit := strings.TrimSpace(l.text); strings.HasPrefix(limit, "Timeout: ") {
			text += " " + limit
		}
	}
	r.found = append(r.found, Verdict{Kind: TimeLimit, Rank: -1, Code: -1, Text: text})
}

// number reads a whole number, or gives -1.
func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return n
}

// ExitCode is the exit code of the job for an abort: the low byte of the error code, and never 0.
func (v Verdict) ExitCode() int {
	if low := v.Code & 0xff; v.Code > 0 && low > 0 {
		return low
	}
	return 1
}

// RankText names a rank in front of what is said about it.
func RankText(rank int, text string) string { return fmt.Sprintf("rank %d: %s", rank, text) }
