package scaffold

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"entrain/hostwait/rendezvous"
	"entrain/hparams"
)

// LocalJob is the name of a job on a laptop. The SDK's local mode also gives a job a name.
const LocalJob = "local"

// SetImage sets the image that compose.yaml runs. It returns an error for a name that no image can have.
func (t *Tree) SetImage(name string) error {
	if !hparams.IsWord(name, "_-./:@") {
		return errors.New("expected the name of an image, such as trainer or trainer:1.2")
	}
	t.Image = name
	return nil
}

// WriteAll writes the contract trees of all hosts below dir, and the files with which docker compose runs the
// hosts together. It writes all of that or nothing. It returns a *plan.UsageError for a tree that would not
// be valid, and an *output.Error if it cannot write.
func WriteAll(dir string, t Tree) error {
	data, err := t.listData()
	if err != nil {
		return err
	}
	var all []entry
	for _, host := range t.hosts() {
		t.CurrentHost = host
		root := filepath.Join(dir, host)
		entries, err := t.entries(root, data)
		if err != nil {
			return err
		}
		all = append(append(all, entry{path: root, mode: fs.ModeDir | 0o755}), entries...)
	}
	// The key is in a variable, because every user can read a variable. Compose mounts a secret as a file, which
	// keeps its owner on the laptop: the USER of an image may be another one, who cannot read the file.
	key := "ENTRAIN_CLUSTER_KEY=" + strings.TrimSpace(rendezvous.NewKey()) + "\n"
	return writeEntries(dir, append(all,
		entry{path: filepath.Join(dir, "compose.yaml"), mode: 0o644, data: []byte(t.composeFile())},
		entry{path: filepath.Join(dir, ".env"), mode: 0o600, data: []byte(projectLine(dir) + key)}))
}

// projectLine is a line of .env that names the project. It is empty if compose can make a name from the
// directory's name: the name needs a letter or a digit.
func projectLine(dir string) string {
	usable := func(c rune) bool { return hparams.IsWord(string(c), "") }
	if strings.ContainsFunc(strings.ToLower(filepath.Base(dir)), usable) {
		return ""
	}
	return "COMPOSE_PROJECT_NAME=job\n"
}

// composeFile is the text of compose.yaml. Docker compose and docker-compose 1.27 read it, because it has
// neither a version nor a name. Its paths are relative, so that the tree can be moved.
//
// The mounts are those of the SDK's local mode (sagemaker/local/image.py, _generate_compose_file): input,
// model and output, each by itself, so that /opt/ml/code stays the image's. They are in the long form, in
// which a colon in a path means nothing. SIGKILL comes two minutes after SIGTERM, as on the platform.
func (t *Tree) composeFile() string {
	image := "${IMAGE:?expected the name of an image, as in IMAGE=trainer docker compose up}"
	if t.Image != "" {
		image = t.Image
	}
	var b strings.Builder
	b.WriteString(
		"# Hosts of a training job on one network: docker compose up trains. The cluster key is in .env.\n" +
			"services:\n")
	for _, host := range t.hosts() {
		fmt.Fprintf(&b, `  %[1]s:
    image: "%[2]s"
    command: train
    hostname: %[1]s
    environment:
      TRAINING_JOB_NAME: %[3]s
      ENTRAIN_CLUSTER_KEY: "${ENTRAIN_CLUSTER_KEY:?expected in .env}"
    volumes:
      - {type: bind, source: ./%[1]s/input, target: /opt/ml/input}
      - {type: bind, source: ./%[1]s/model, target: /opt/ml/model}
      - {type: bind, source: ./%[1]s/output, target: /opt/ml/output}
    stop_grace_period: 2m
`, host, image, LocalJob)
	}
	return b.String()
}
