package report

import "strconv"

// CodeMeaning is an exit code or a group of them, and its meaning, for documents.
type CodeMeaning struct{ Code, Meaning string }

// ExitCodes returns all exit codes of run and of the other verbs.
func ExitCodes() []CodeMeaning {
	own := func(code int, meaning string) CodeMeaning { return CodeMeaning{strconv.Itoa(code), meaning} }
	return []CodeMeaning{
		{"0", "the job has succeeded, on all hosts"},
		{"the trainer's own", "the trainer ran and ended with this code"},
		{
			"128 + n",
			"signal n ended the trainer; 143 also: a SIGTERM stopped the job, as it waited, streamed or trained",
		},
		{"the first failure's", "another host failed; the failure file names it"},
		own(CodeUsage, "a flag, a variable or the command is wrong"),
		own(CodeInvalid, "the contract is invalid, here or on another host, or the hosts do not fit together; "+
			"a stream is not valid RecordIO; a FIFO cannot be read"),
		own(CodeUnavailable, "a host did not come, or was lost; a FIFO did not come, stayed empty or stood still, "+
			"or another process reads it; "+
			"too many files are open"),
		own(CodeInternal, "something inside entrain failed"),
		own(CodeOutput, "an output cannot be written"),
		{"126, 127", "126: the trainer cannot be executed; 127: it was not found"},
	}
}
