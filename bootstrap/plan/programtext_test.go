package plan

import (
	"slices"
	"strings"
	"testing"
)

// commandsWithTexts holds a command a line. Each word that is program text contains TEXT.
const commandsWithTexts = `
python3 train.py -c x
train

sh -c TEXT
/bin/bash -c TEXT zero one
bash -lc TEXT x
bash -euxc TEXT
bash -ce TEXT
bash -c -e TEXT x
sh -c -- TEXT
sh -c - TEXT x
bash -eo pipefail -c TEXT
bash -o pipefail -ec TEXT
bash --norc -c TEXT
bash +x -c TEXT
bash -O extglob -c TEXT
bash --rcfile rc.sh -c TEXT
bash --rcfile=rc.sh -c TEXT
node --require ./x -e TEXT
python3.14t -c TEXT
pwsh -Command TEXT
pwsh -c TEXT
awk TEXT file
gawk -F : -v x=1 TEXT file
sh script.sh -c x
sh -e run.sh -c x
bash
bash -c
dash -x -c TEXT
ksh -c TEXT
fish --command=TEXT
fish --command TEXT

env A=b sh -c TEXT
timeout 60 bash -lc TEXT
busybox sh -c TEXT
/usr/bin/busybox ash -c TEXT
xargs -0 zsh -c TEXT
env -S TEXT
env -i --split-string=TEXT
env -u A sh -c TEXT
gosu user bash -c TEXT
mpirun -np 2 sh -c TEXT

su user -c TEXT
su - user -c TEXT
runuser -u nobody -- sh -c TEXT
script -qc TEXT

python3 -c TEXT x
python -uc TEXT
python3.11 -Ic TEXT
/opt/conda/bin/python3 -W ignore -c TEXT
python3 -m http -c x
python -cTEXT
python3 -X dev train.py -c x
python3 -m torch.distributed.run x -c y
torchrun train.py -c x

perl -e TEXT
perl -lane TEXT -e TEXT file
perl -MList::Util -E TEXT
perl script -e x
perl -Ilib -e TEXT
perl -eTEXT
ruby -e TEXT
ruby -rjson -e TEXT
node -e TEXT
node --eval TEXT
node --eval=TEXT
node -pe TEXT
node app.js -e x
Rscript -e TEXT
Rscript --vanilla -e TEXT -e TEXT
R -e TEXT
julia -e TEXT
`

func TestTheProgramTextOfAnInterpreterIsFound(t *testing.T) {
	for command := range strings.Lines(commandsWithTexts) {
		words := strings.Fields(command)
		got := programTexts(words)
		for i, word := range words {
			if want := strings.Contains(word, "TEXT"); got[i] != want {
				t.Errorf("%s: %s is a text: %v", strings.TrimSpace(command), word, got[i])
			}
		}
	}
}

func TestAValueNeverBecomesProgramText(t *testing.T) {
	env := []string{"SM_HP_NOTE=1; touch pwned", "ENTRAIN_RANK=3"}
	text := "echo note is ${SM_HP_NOTE} $$ ${UNKNOWN}"
	words := []string{
		"sh", "-c", text,
		"${SM_HP_NOTE}", "$$", "$${SM_HP_NOTE}", "a$", "${HOME}", "${ENTRAIN_RANK}",
	}
	want := []string{
		"sh", "-c", text,
		"1; touch pwned", "$$", "${SM_HP_NOTE}", "a$", "${HOME}", "3",
	}
	got, err := ExpandWords(words, env)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got  %q, %v\nwant %q", got, err, want)
	}
	if _, err := ExpandWords([]string{"a", "${SM_NONE}"}, env); !isUsage(err) {
		t.Errorf("an unknown name: %v", err)
	}
}

// FuzzExpand expands escaped words, as a launcher carries them to the ranks.
func FuzzExpand(f *testing.F) {
	for _, word := range []string{"", "$", "$$", "${", "$${", "$$${SM_X}", "${SM_X}", "$${SM_X}$$", "{SM_X}"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		if got, err := expandWord(escapeReferences(word), nil); err != nil || got != word {
			t.Errorf("%q became %q, %v", word, got, err)
		}
	})
}
