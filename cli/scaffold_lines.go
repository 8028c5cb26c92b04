//go:build linux

package cli

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"entrain/bootstrap/plan"
	"entrain/bootstrap/scaffold"
)

// plural is a number and its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// toPaste lays out lines. A line that ends in a colon says what the lines below it do; those can be pasted
// into a shell. The colon lines are no comments of a shell: at its prompt zsh takes none.
func toPaste(place scaffold.Place, lines ...string) string {
	var b strings.Builder
	if _, ok := place.Relative(); place.Contained && !ok {
		return fmt.Sprintf("%s is in the container alone, and ends with it. To keep it, mount a directory:\n  %s\n",
			place.Name, `docker run --rm -v "$PWD:/w" --entrypoint entrain IMAGE scaffold /w/job`)
	}
	if place.Contained {
		fmt.Fprintf(&b,
			"The lines below are for a shell outside of the container, in the directory mounted at %s.\n", place.Mount)
	}
	for _, line := range lines {
		if !strings.HasSuffix(line, ":") {
			line = "  " + line
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// composeLines are the commands for the trees of all hosts. The image is empty if the user did not name one.
func composeLines(program string, place scaffold.Place, image string) string {
	compose := "docker compose -f " + fromHere(place, "compose.yaml")
	train := "To train (docker-compose, where docker has no compose):"
	if image == "" {
		compose = "IMAGE=IMAGE " + compose
		train = "To train, with your image after IMAGE= (docker-compose, where docker has no compose):"
	}
	// tail shows the name of each file. cat would join the texts: they do not end with a newline.
	failures := "tail -n +1 " + fromHere(place, "") + "/algo-*/output/failure"
	return toPaste(place,
		"To see what would run:", planLine(program, place, "algo-1", cmp.Or(image, "IMAGE")),
		train, compose+" up",
		"Each host's exit code, and why it failed:", compose+" ps -a", failures,
		"To remove the containers:", compose+" down")
}

// planLine is a command that shows what would run. It runs in a container if this program does: the laptop
// may have no entrain.
func planLine(program string, place scaffold.Place, host, image string) string {
	if place.Contained {
		return fmt.Sprintf("docker run --rm %s --entrypoint entrain %s plan --root %s -- echo",
			bind(`"$PWD"`, "", place.Mount), image, plan.ShellQuote(filepath.Join(place.Dir, host)))
	}
	return fmt.Sprintf("%s plan --root %s -- echo", plan.ShellQuote(program), fromHere(place, host))
}

// runLine is a command that trains as the SDK's local mode does (sagemaker/local/image.py,
// _build_optml_volumes and _prepare_training_volumes). It mounts input, model and output each by itself, so
// that /opt/ml/code stays the image's. As in local mode, /opt/ml/checkpoints is not mounted: a trainer that
// writes there needs one more mount.
func runLine(place scaffold.Place) string {
	words := []string{"docker run --rm"}
	for _, name := range []string{"input", "model", "output"} {
		words = append(words, mount(place, name, "/opt/ml/"+name))
	}
	return strings.Join(append(words, "-e TRAINING_JOB_NAME="+scaffold.LocalJob, "IMAGE train"), " ")
}

// fromHere is a path in a tree, for a shell. It is relative if the user gave the tree's path as relative.
func fromHere(place scaffold.Place, name string) string {
	path := filepath.Join(place.Dir, name)
	if rel, ok := place.Relative(); ok {
		path = filepath.Join(rel, name)
	}
	if strings.HasPrefix(path, "-") {
		path = "./" + path // else it would be a flag
	}
	return plan.ShellQuote(path)
}

// mount is the flag of docker that mounts a directory of a tree.
func mount(place scaffold.Place, name, target string) string {
	rel, ok := place.Relative()
	outside := strings.TrimSuffix(place.Dir, rel) // the value of $PWD, unless a container hides it
	if ok && (place.Contained || !strings.ContainsAny(outside, `:"`)) {
		return bind(`"$PWD"`, "/"+filepath.Join(rel, name), target)
	}
	return bind("", filepath.Join(place.Dir, name), target)
}

// bind is the flag of docker that mounts a directory. The directory's name is first, a word that the shell
// expands, and then rest. In -v a colon would end the name. In --mount no character does, if the name is
// quoted as in CSV.
func bind(first, rest, target string) string {
	if strings.Contains(rest, ":") {
		rest = strings.ReplaceAll(rest, `"`, `""`)
		return "--mount " + plan.ShellQuote(`type=bind,"source=`) +
			first + plan.ShellQuote(rest+`",target=`+target)
	}
	rest += ":" + target
	if quoted := plan.ShellQuote(rest); quoted != rest {
		return "-v " + first + quoted
	}
	if first == "" {
		return "-v " + rest
	}
	return "-v " + strings.TrimSuffix(first, `"`) + rest + `"`
}
