package report

import (
	"fmt"
	"strings"
	"testing"

	"entrain/contract"
)

// TestManyProblemsOfAKindLeaveRoomForTheOthers: the failure file shows a problem whole or not at all.
func TestManyProblemsOfAKindLeaveRoomForTheOthers(t *testing.T) {
	for _, strangers := range []int{0, 1, 5, 60, 150} {
		for _, long := range []int{1, 55, 300} {
			var problems []contract.Problem
			for i := range strangers {
				problems = append(problems, contract.Problem{
					File: contract.HyperparametersFile, Line: 1, Column: i,
					Message: fmt.Sprintf("hyperparameter \"x%d%s\" is not one of the algorithm's 53",
						i, strings.Repeat("x", long)),
					Hint: "the specification lists them",
				})
			}
			const pipe = `channel "train" is in Pipe mode, the algorithm takes ["File"]`
			problems = append(problems, contract.Problem{File: contract.InputDataFile, Message: pipe},
				contract.Problem{File: contract.InputDataFile, Warning: true, Message: "is odd"})
			text := FailureText(&contract.InvalidError{Problems: contract.Limit(problems)}, plain, "hint: look here")
			told := strings.Count(text, "one of the algorithm's 53\nhint: the specification lists them\n")
			more := fmt.Sprintf("and %d more\n", strangers-told)
			switch {
			case !canShow(text):
				t.Errorf("%d characters", len(text))
			case !strings.Contains(text, "is in Pipe mode"), strings.Contains(text, "is odd"):
				t.Errorf("%d strangers of %d letters, the channel is missing:\n%s", strangers, long, text)
			case strings.Contains(text, "…"), !strings.HasSuffix(text, "\nhint: look here"):
				t.Errorf("%d strangers of %d letters are cut:\n%s", strangers, long, text)
			case strangers > told != strings.Contains(text, more):
				t.Errorf("%d strangers, %d of them told, but not %q:\n%s", strangers, told, more, text)
			}
		}
	}
}
