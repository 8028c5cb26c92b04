package contract_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"entrain/contract"
)

func TestSecretNamesAreToldFromOtherNames(t *testing.T) {
	for name, want := range map[string]bool{
		"API_KEY": true, "api-key": true, "apiKey": true, "keys": true, "SM_HP_HF_TOKEN": true,
		"authToken2": true, "hfTokenFile": true,
		"client_secret": true, "Passwords": true, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": true,
		"AWS_SECRET_ACCESS_KEY": true, "AWS_ACCESS_KEY_ID": true,
		"PGPASS": true, "PGPASSWORD": true, "PGPASSFILE": true, "MY_PWD": true, "MYSQL_PWD": true, "db-pwd": true,
		"AUTHORIZATION": true, "PASSPHRASE": true, "PRIVATE_KEY": true, "privateKey": true,
		"DB_PASS": true, "pass": true, "smtp.pass": true,

		"tokenizer": false, "public": false, "keyboard": false, "monkeybars": false, "KEYPOINTS": false,
		"PWD": false, "OLDPWD": false, "_private": false, "is_private": false, "private_subnets": false,
		"first_pass": false, "bypass": false, "compass": false, "pass_rate": false, "author": false,
		"lr": false, "": false,
	} {
		if got := contract.IsSecret(name); got != want {
			t.Errorf("IsSecret(%q) = %v", name, got)
		}
	}
}

func TestMaskedJobShowsNoSecret(t *testing.T) {
	const hp = `{"api_key":"hunter2","db":"{\"host\":\"h\",\"nested\":[{\"password\":\"hunter2\"}]}",` +
		`"lr":"1","secret":"null"}`
	snap := snapshot(with("hyperparameters.json", hp))
	job := load(t, snap)
	for _, style := range contract.EnvStyles() {
		for _, v := range contract.Env(job.Masked(), snap, contract.EnvStyle(style), nil) {
			if strings.Contains(v.Value, "hunter2") {
				t.Errorf("%s: %s=%s", style, v.Name, v.Value)
			}
		}
	}
	if got := envOf(job, snap, contract.EnvToolkit)["SM_HP_API_KEY"]; got != "hunter2" {
		t.Errorf("the job itself has lost its secret: %q", got)
	}
}

func TestMaskReplacesSecretsAndNothingElse(t *testing.T) {
	env := contract.MaskEnv([]string{
		"TOKEN=hunter2", `CONF={"a":1,"password":"hunter2"}`, "PATH=/bin", "NOEQ", `J={"a":1}`,
	})
	want := []string{"TOKEN=******", `CONF={"a": 1, "password": "******"}`, "PATH=/bin", "NOEQ", `J={"a":1}`}
	if diff := cmp.Diff(want, env); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	words := contract.MaskWords([]string{
		"x", "--password=hunter2", "--api-key", "hunter2", "token=hunter2", "--key", "--lr", "1", "a b=c",
	})
	want = []string{
		"x", "--password=******", "--api-key", "******", "token=******", "--key", "--lr", "1", "a b=c",
	}
	if diff := cmp.Diff(want, words); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The secret stands as it is, in JSON, and in JSON inside of JSON.
func TestMaskReplacesSecretsAtAnyDepth(t *testing.T) {
	const hp = `{"password":"hunter2","d":"{\"token\":\"hunter2\"}",` +
		`"q":"\"{\\\"token\\\":\\\"hunter2\\\"}\"","l":"[{\"key\":\"hunter2\"}]"}`
	job := load(t, snapshot(with("hyperparameters.json", hp)))
	if shown := fmt.Sprint(job.Masked().Params); strings.Contains(shown, "hunter2") {
		t.Error(shown)
	}
	env := contract.MaskEnv([]string{
		`A=[{"key":"hunter2"}]`, `B="{\"key\":\"hunter2\"}"`,
		"PRIVATE_KEY=hunter2", "aws_creds=hunter2", "APIKEYID=hunter2", "C=fine",
	})
	if shown := fmt.Sprint(env); strings.Contains(shown, "hunter2") || !strings.Contains(shown, "C=fine") {
		t.Error(shown)
	}
	words := contract.MaskWords([]string{
		"--password", "-hunter2", "--token=hunter2", `{"key":"hunter2"}`, "--token", "--lr", "1",
	})
	if shown := fmt.Sprint(words); strings.Contains(shown, "hunter2") || !strings.HasSuffix(shown, "--lr 1]") {
		t.Error(shown)
	}
}
