package cause

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestVerdictsAreFound in the output of real launchers.
func TestVerdictsAreFound(t *testing.T) {
	for _, c := range []struct {
		what, output string
		want         []Verdict
	}{
		{what: "nothing", output: "[1,0]<stderr>:step 1\nready\n"},
		{
			what: "Open MPI 4, an abort",
			output: ruler + "\nMPI_ABORT was invoked on rank 1 in communicator " +
				"MPI_COMM_WORLD\nwith errorcode 0.\n\n" +
				"NOTE: invoking MPI_ABORT causes Open MPI to kill all MPI processes.\n" + ruler + "\n",
			want: []Verdict{{
				Aborted, 1, 0, "MPI_ABORT was invoked on rank 1 in communicator MPI_COMM_WORLD with " +
					"errorcode 0",
			}},
		},
		{
			what: "the rank in another communicator",
			output: "MPI_ABORT was invoked on rank 0 in communicator MPI COMMUNICATOR 3 " +
				"SPLIT FROM 0\nwith errorcode 256.\n",
			want: []Verdict{{
				Aborted, -1, 256,
				"MPI_ABORT was invoked on rank 0 in communicator MPI COMMUNICATOR 3 " +
					"SPLIT FROM 0 with errorcode 256",
			}},
		},
		{
			what: "the words of a launcher that a rank has started",
			output: "[1,0]<stderr>:MPI_ABORT was invoked on rank 1 in communicator " +
				"MPI_COMM_WORLD\n[1,0]<stderr>:with errorcode 0.\n",
		},
		{
			what: "Open MPI 5, an abort",
			output: ruler + "\nprterun has exited due to process rank 1 with PID 31 on node " +
				"algo-2 calling\n" +
				"\"abort\". This may have caused other processes in the application to be\n" +
				"terminated by signals sent by prterun (as reported here).\n" + ruler + "\n",
			want: []Verdict{{Aborted, 1, -1, "calling MPI_Abort"}},
		},
		{
			what: "Open MPI 5, an abort in another communicator",
			output: ruler + "\nMPI_ABORT was invoked on rank 0 in communicator MPI COMMUNICATOR 3\n" +
				"  Proc: [[6304,1],2]\n  Errorcode: 0\n\nNOTE: invoking MPI_ABORT\n" + ruler + "\n",
			want: []Verdict{{
				Aborted, 2, 0, "MPI_ABORT was invoked on rank 0 in communicator MPI COMMUNICATOR 3 with errorcode 0",
			}},
		},
		{
			what: "Open MPI, no MPI_Finalize",
			output: ruler + "\nmpirun.openmpi has exited due to process rank 1 with PID 15 on\n" +
				"node algo-2 exiting improperly. There are three reasons this could " +
				"occur:\n\n1. this\n" + ruler + "\n",
			want: []Verdict{{Improper, 1, -1, "exiting improperly: it ended without MPI_Finalize"}},
		},
		{
			what: "MPICH, an abort",
			output: "[1] Abort(3) on node 1 (rank 1 in comm 0): application called " +
				"MPI_Abort(MPI_COMM_WORLD, 3) - process 1\n" +
				"[0] [1] Abort(4) on node 1 (rank 1 in comm 0): application called " +
				"MPI_Abort(MPI_COMM_WORLD, 4) - process 1\n",
			want: []Verdict{{Aborted, 1, 3, "application called MPI_Abort(MPI_COMM_WORLD, 3) - process 1"}},
		},
		{
			what: "MPICH, a call that fails",
			output: "[1] Abort(738871814) on node 1 (rank 1 in comm 0): Fatal error in " +
				"internal_Send: Invalid rank, error stack:\n" +
				"[1] internal_Send(120): MPI_Send(count=1, MPI_INT, 7, 0, MPI_COMM_WORLD) failed\n" +
				"[1] internal_Send(78).: Invalid rank has value 7 but must be " +
				"nonnegative and less than 2\n",
			want: []Verdict{{
				Mistake, 1, 738871814, "Fatal error in internal_Send: Invalid rank: internal_Send(78).: " +
					"Invalid rank has value 7 but must be nonnegative and less than 2",
			}},
		},
		{
			what: "Open MPI, a call that fails",
			output: "[1,1]<stderr>: [algo-2:00021] *** An error occurred in MPI_Send\n" +
				"[1,1]<stderr>: [algo-2:00021] *** reported by process [2699886593,1]\n" +
				"[1,1]<stderr>: [algo-2:00021] *** on communicator MPI_COMM_WORLD\n" +
				"[1,1]<stderr>: [algo-2:00021] *** MPI_ERR_RANK: invalid rank\n",
			want: []Verdict{{Mistake, 1, -1, "MPI_Send: MPI_ERR_RANK: invalid rank"}},
		},
		{
			what: "Open MPI 5, a time limit",
			output: "[1,WILDCARD]<stderr>: The user-provided time limit for job execution " +
				"has been reached:\n" +
				"[1,WILDCARD]<stderr>: \n[1,WILDCARD]<stderr>:   Timeout: 4 " +
				"seconds\n[1,WILDCARD]<stderr>: \n",
			want: []Verdict{{
				TimeLimit, -1, -1, "The user-provided time limit for job execution has been reached: " +
					"Timeout: 4 seconds",
			}},
		},
	} {
		if diff := cmp.Diff(c.want, Verdicts([]byte(c.output))); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.what, diff)
		}
	}
}

// TestHelpTextIsTheLaunchersOwn: it is the first that is no consequence of another.
func TestHelpTextIsTheLaunchersOwn(t *testing.T) {
	const consequence = ruler + "\nIt looks like orte_init failed for some reason.\n" + ruler + "\n"
	const why = ruler + "\nA call to mkdir was unable to create the desired directory:\n\n" +
		"  Directory: /tmp/x\n  Error:     No space left on device\n\nPlease check.\n" + ruler + "\n"
	const want = "A call to mkdir was unable to create the desired directory: Directory: /tmp/x, " +
		"Error: No space left on device"
	for output, want := range map[string]string{
		consequence + why: want, why + consequence: want, consequence: "", "[1,0]<stderr>:step 1\n": "",
	} {
		if got := HelpText([]byte(output)); got != want {
			t.Errorf("%s\ngot %q, want %q", output, got, want)
		}
	}
}

// TestAbortIsNeverASuccess: an exit code has the low byte of the error code alone.
func TestAbortIsNeverASuccess(t *testing.T) {
	for code, want := range map[int]int{0: 1, 3: 3, 255: 255, 256: 1, 259: 3, -1: 1} {
		if got := (Verdict{Code: code}).ExitCode(); got != want {
			t.Errorf("%d: got %d, want %d", code, got, want)
		}
	}
}

// TestVerdictsReadAnything without a crash.
func FuzzVerdicts(f *testing.F) {
	f.Add("MPI_ABORT was invoked on rank 1 in communicator x\nwith errorcode " +
		"3.\nAbort(1) on node 0 (rank 0): x")
	f.Add("[a:1] *** An error occurred in X\n[a:1] *** reported by process [1,2]\n[a:1] *** MPI_ERR_X: y")
	f.Fuzz(func(t *testing.T, output string) {
		for _, v := range Verdicts([]byte(output)) {
			if v.Text == "" || strings.Contains(v.Text, "\n") || v.ExitCode() < 1 || v.ExitCode() > 255 {
				t.Errorf("%+v", v)
			}
		}
	})
}
