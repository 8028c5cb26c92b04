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

// LocalJob is the name of a job that runs on a laptop. The SDK's local mode, too, gives a job a name.
const LocalJob = "local"

// SetImage takes the image that compose.yaml runs.
func (t *Tree) SetImage(name string) error {
	if !hparams.IsWord(name, "_-./:@") {
		return errors.New("expected the name of an image, such as trainer or trainer:1.2")
	}
	t.Image = name
	return nil
}

// WriteAll writes the trees of all hosts, and what docker compose needs to run them together.
func WriteAll(dir string, t Tree) error {
	data, err := t.fill()
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
	// A key in a file that is mounted, as compose does with a secret, keeps its owner on the laptop: an image's
	// USER could not read it. A variable reaches every user.
	key := "ENTRAIN_CLUSTER_KEY=" + strings.TrimSpace(rendezvous.NewKey()) + "\n"
	return write(dir, append(all,
		entry{path: filepath.Join(dir, "compose.yaml"), mode: 0o644, data: []byte(t.compose())},
		entry{path: filepath.Join(dir, ".env"), mode: 0o600, data: []byte(project(dir) + key)}))
}

// project is a line of .env for a directory of whose name compose can make no project's name.
func project(dir string) string {
	usable := func(c rune) bool { return hparams.IsWord(string(c), "") }
	if strings.ContainsFunc(strings.ToLower(filepath.Base(dir)), usable) {
		return ""
	}
	return "COMPOSE_PROJECT_NAME=job\n"
}

// compose is the compose.yaml. It keeps to what docker compose and docker-compose from 1.27 both read, so it
// has neither a version nor a name. Paths are relative: the tree can be moved. The mounts are those of the
// SDK's local mode (sagemaker/local/image.py, _generate_compose_file): input, model and output, each by
// itself, so that /opt/ml/code stays the image's. They are in the long form, in which a colon in a path
// means nothing. SIGKILL comes after two minutes, as on the platform.
func (t *Tree) compose() string {
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
