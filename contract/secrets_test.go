package contract_test

import (
	"fmt"
	"strings"
	"testing"

	"entrain/contract"
)

// secretsOf returns the secrets of a job with these hyperparameters and variables.
func secretsOf(hp string, env ...string) contract.Secrets {
	snap := snapshot(with("hyperparameters.json", hp))
	snap.Env = env
	return contract.SecretsOf(snap)
}

func TestMaskHidesTheSecretsOfAJobInATrainersOutput(t *testing.T) {
	for _, c := range []struct {
		what, hp string
		env      []string
		text     string
		want     string
	}{
		{
			"hyperparameters", `{"api_key":"sk-live-0123","db_password":"swordfish99"}`, nil,
			"unrecognized arguments: --api_key sk-live-0123 --db_password swordfish99",
			"unrecognized arguments: --api_key ****** --db_password ******",
		},
		{
			"in quotes, as JSON writes it", `{"api_key":"\"sk-live-0123\""}`, nil,
			`bad key sk-live-0123, "sk-live-0123"`,
			"bad key ******, ******",
		},
		{"nested", `{"db":{"password":"swordfish99"}}`, nil, "swordfish99 is wrong", "****** is wrong"},
		{
			"nested in text",
			`{"db":"{\"users\":[{\"password\":\"swordfish99\"}]}"}`,
			nil, "swordfish99 is wrong", "****** is wrong",
		},
		{
			"below a secret's name",
			`{"credentials":{"user":"somebody","more":["swordfish99"]}}`,
			nil, "swordfish99 is wrong", "****** is wrong",
		},
		{"a number", `{"password":12345678}`, nil, "12345678 is wrong", "****** is wrong"},
		{
			"the environment", `{}`,
			[]string{"TOKEN=hunter2", "LABEL_KEY=unlabelled"},
			"hunter2 unlabelled", "****** ******",
		},
		{
			"the longest first", `{}`,
			[]string{"A_PASSWORD=hunter2", "B_PASSWORD=hunter2-prod-4711"},
			"no hunter2-prod-4711!", "no ******!",
		},
		{
			"two that overlap", `{}`,
			[]string{"A_PASSWORD=abcdefgh", "B_PASSWORD=ghijklmnop"},
			"x abcdefghijklmnop y", "x ****** y",
		},
		{
			"short ones", `{}`,
			[]string{"A_PASSWORD=a", "B_PASSWORD=is", "C_PASSWORD=the", "D_PASSWORD=root"},
			"a rooter is the root", "a rooter is the ******",
		},
		{"Python's spelling", `{}`, []string{`A_PASSWORD=it's\there`}, `bad "it's\\there"`, `bad "******"`},
		{"Python's JSON", `{"password":"swördfish99"}`, nil, `bad "sw\u00f6rdfish99"`, `bad "******"`},
		{
			"JSON of a long one", `{"password":"sw\"` + strings.Repeat("rdfish99", 9) + `"}`, nil,
			`bad "sw\"` + strings.Repeat("rdfish99", 9) + `"`, `bad "******"`,
		},
		{"a URL's spelling", `{"password":"sword/fish+99"}`, nil, "GET /?p=sword%2Ffish%2B99", "GET /?p=******"},
		{
			"a password of a URL, decoded",
			`{"db":"postgres://u:sword%40fish@h/d"}`,
			nil, "no user with sword@fish", "no user with ******",
		},
		{
			"a variable's URL", `{}`,
			[]string{"DB=postgres://u:swordfish99@h/d"},
			`password "swordfish99" failed`, `password "******" failed`,
		},
		{
			"a command in a variable", `{}`,
			[]string{"ENTRAIN_COMMAND=a --password swordfish99"},
			"swordfish99", "******",
		},
		{
			"lines of a key", `{}`,
			[]string{"SSL_KEY=-----X-----\nabcdefghijklmnop\n-----Y-----"},
			"bad abcdefghijklmnop", "bad ******",
		},
		{
			"numbers beside tokens",
			`{"token_dropout":"0.15","token_dim":"1024","token_2":"abc12345"}`,
			nil, "loss 0.15 of 1024, abc12345", "loss 0.15 of 1024, ******",
		},
		{
			"a header",
			`{"headers":{"Authorization":"Bearer abc-4711"}}`,
			nil, "no such token: abc-4711", "no such token: ******",
		},
		{
			"a directory", `{}`,
			[]string{"PWD=/opt/program", "OLDPWD=/opt/program"},
			"no file /opt/program/x", "no file /opt/program/x",
		},
		{
			"columns and tokens of text",
			`{"label_key":"label","pad_token":"<pad>","max_tokens":"4096","key":"image","use_token":"true"}`, nil,
			"KeyError: 'label' of image <pad> 4096 true", "KeyError: 'label' of image <pad> 4096 true",
		},
	} {
		if got := secretsOf(c.hp, c.env...).Mask(c.text); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

// A rank knows the hyperparameters only from its environment.
func TestMaskHidesTheSecretsInATrainersEnvironment(t *testing.T) {
	s := contract.SecretsOfEnv([]string{
		"SM_HP_API_KEY=sk-live-0123", `SM_HPS={"db":{"password":"swordfish99"}}`, "SM_HP_LABEL_KEY=label",
	}, "a", "--token", "abc-4711")
	if got := s.Mask("sk-live-0123 swordfish99 label abc-4711"); got != "****** ****** label ******" {
		t.Error(got)
	}
}

func TestMaskHidesTextWithTheShapeOfASecret(t *testing.T) {
	aws := "AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	for _, c := range []struct{ text, want string }{
		{"clone https://user:pass@host/x.git failed", "clone https://user:******@host/x.git failed"},
		{"postgres://u:pw@h:5432/d", "postgres://u:******@h:5432/d"},
		{"redis://:pw@h", "redis://:******@h"},
		{"postgres://u:p/w#1@h/d", "postgres://u:******@h/d"},
		{"https://0123456789abcdef@o1.example.com/2", "https://******@o1.example.com/2"},
		{"u:swordfish@tcp(db:3306)/d", "u:******@tcp(db:3306)/d"},
		{"Authorization: Bearer abc.def-4711", "Authorization: Bearer ******"},
		{"X-Api-Key: k1l2m3n4o5 was refused", "X-Api-Key: ****** was refused"},
		{"api_key: abc4711def", "api_key: ******"},
		{"no login with password: hunter2hunter", "no login with password: ******"},
		{"{'authorization': 'Basic dXNlcjpwYXNz'}", "{'authorization': '******'}"},
		{"sent bearer a1b2c3d4e5f6g7h8", "sent bearer ******"},
		{"InvalidAccessKey: " + aws, "InvalidAccessKey: ****** ******"},
		{"ASIAIOSFODNN7EXAMPLE", "******"},
		{"token ghp_0123456789abcdefghijABCDEFGHIJ456789", "token ******"},
		{"hf_abcdefghijklmnopqrstuvwxyz0123456789 is invalid", "****** is invalid"},
		{"hf_abcdefghijklmnopqrstuvwxyzABCDEFGH is invalid", "****** is invalid"},
		{"sk-proj-abcdefghij0123456789_ABCDEF", "******"},
		{"xoxb-123456789012-abcdefABCDEF", "******"},
		{"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", "******"},
		{
			"unrecognized arguments: --db-password zzz222 --lr 3",
			"unrecognized arguments: --db-password ****** --lr 3",
		},
		{"login(user=me, password=hunter2)", "login(user=me, password=******)"},
		{`{"user": "me", "password": "hun ter"}`, `{"user": "me", "password": "******"}`},
		{"https://s3/x?X-Amz-Security-Token=abcd1234&b=1", "https://s3/x?X-Amz-Security-Token=******&b=1"},
		{
			"-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabcd\n-----END RSA PRIVATE KEY-----",
			"-----BEGIN RSA PRIVATE KEY-----******-----END RSA PRIVATE KEY-----",
		},
	} {
		got := contract.Secrets{}.Mask(c.text)
		if got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
		if again := (contract.Secrets{}).Mask(got); again != got {
			t.Errorf("%q: masked again it is %q", got, again)
		}
	}
}

func TestMaskKeepsTextWithoutTheShapeOfASecret(t *testing.T) {
	for _, text := range []string{
		"git@github.com:org/repo.git", "ssh://git@github.com/org/repo", "http://algo-1:8080/a@b",
		"s3://bucket/key@v1", "tcp://[::1]:29500/x@y",
		"docker://host:5000/img@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"somebody@example.com: no such user",
		"commit da39a3ee5e6b4b0d3255bfef95601890afd80709",
		"/opt/ml/input/data/train/part-00000-0123456789abcdef.parquet",
		"KeyError: 'token'", "ValueError: invalid token: expected one of <s>, </s>",
		"max_tokens=4096 tokenizer=gpt2 sort_key=name",
		"usage: train.py [-h] [--api_key API_KEY] [--password PASSWORD]",
		"argument --password: expected one argument",
		"    connect(host, password=os.environ[\"X\"], secret=cfg.secret)", "password=$DB_PASSWORD",
		"bearer authentication failed", "a basic understanding of it",
		"Authorization is required", "Authorization: required", "sk-learn and sklearn", "hf_model",
		"usage: t [--token TOKEN_1] [--password-file /etc/pass1] --sort-key column17", "use --password twice",
		"--secret [A123456]",
		`train.py --password "" --lr 3`, "--token  ,",
		"hf_a_model_of_thirty_four_letters_or_so", "hf_transformersmodelforcausallanguages", "dapi", "eyJ",
		"TypeError: 'NoneType' object is not subscriptable",
		"password: incorrect", "secret: /run/secrets/db1", "error: password: expected 8 characters, got 3",
		"api_key: os.environ['K1']", "client_secret: step1:loss",
		"arn:aws:sagemaker:eu-west-1:123456789012:training-job/x",
		"RuntimeError: shape '[2, 3]' is invalid: a=b c:d e", "AKIA is a prefix", "http://user@host/",
		"-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----", "2026-11-25T21:00:00.000Z INFO x.y:12", "",
	} {
		if got := (contract.Secrets{}).Mask(text); got != text {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestMaskWorksOnLongTextsAndManySecrets(t *testing.T) {
	var env []string
	for i := range 100 {
		env = append(env, fmt.Sprintf("S%d_PASSWORD=value-%04d", i, i))
	}
	s := contract.SecretsOfEnv(env)
	for _, piece := range []string{
		"value-0042 ", "://", "a=b:", "eyJ", "sk-", "AKIA", "password=", "u:p@tcp(", "authorization:",
		"-----BEGIN PRIVATE KEY-----", "x",
	} {
		if got := s.Mask(strings.Repeat(piece, 64<<10/len(piece))); strings.Contains(got, "value-") {
			t.Errorf("%q is left", piece)
		}
	}
}

// FuzzMask checks that no text around a secret keeps Mask from hiding it.
func FuzzMask(f *testing.F) {
	f.Add("a", "b")
	f.Add("https://u:", "@h")
	f.Add("password=", "\n")
	s := contract.SecretsOfEnv([]string{"A_PASSWORD=swordfish99"})
	f.Fuzz(func(t *testing.T, before, after string) {
		if strings.Contains(before+after, "swordfish99") {
			return // the text itself holds the word
		}
		if got := s.Mask(before + "swordfish99" + after); strings.Contains(got, "swordfish99") {
			t.Error(got)
		}
	})
}
