package hosts

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// attack attacks a port in one way, until it is killed: attack KIND ADDRESS. It has no cluster key.
func attack(args []string) int {
	act := attacks()[args[0]]
	var held []net.Conn
	for {
		conn, err := net.DialTimeout("tcp", args[1], time.Second)
		if err != nil {
			<-time.After(10 * time.Millisecond)
			continue
		}
		if isHeld := act(conn); isHeld {
			held = append(held, conn)
		} else {
			_ = conn.Close()
		}
		if len(held) == 2000 { // the limit of open files may be no larger
			<-time.After(100 * time.Millisecond)
			for _, conn := range held[:1000] {
				_ = conn.Close()
			}
			held = held[1000:]
		}
	}
}

// attacks are the kinds of attacks. Each acts on a new connection, and returns whether to hold it open.
func attacks() map[string]func(net.Conn) bool {
	const hello = `{"protocol":3,"version":"v1.0.0","mode":"run","instance":"x","count":99,"host":"algo-2",` +
		`"slots":1,"cpus":1,"ready":true,"clock":1764374400000000,"ended":{"code":9,"text":"x","age":0}}` + "\n"
	post := fmt.Sprintf("POST /v1/sync HTTP/1.1\r\nHost: algo-1\r\nContent-Type: application/json\r\n"+
		"Content-Length: %d\r\n\r\n%s", len(hello), hello)
	say := func(text string) func(net.Conn) bool { // and go away when an answer comes
		return func(conn net.Conn) bool {
			_ = conn.SetDeadline(time.Now().Add(time.Second))
			_, _ = io.WriteString(conn, text)
			_, _ = conn.Read(make([]byte, 4096))
			return false
		}
	}
	hold := func(text string) func(net.Conn) bool {
		return func(conn net.Conn) bool {
			_, _ = io.WriteString(conn, text)
			return true
		}
	}
	noise := make([]byte, 64<<10)
	_, _ = rand.Read(noise)
	return map[string]func(net.Conn) bool{
		"2,000 idle connections":      hold(""),
		"half a TLS record":           hold("\x16\x03\x01\x02\x00\x01\x00"),
		"a TLS record of noise":       say("\x16\x03\x01\x20\x00" + string(noise[:0x2000])),
		"noise":                       say(string(noise)),
		"reopened connections":        func(net.Conn) bool { return false },
		"reset connections":           func(conn net.Conn) bool { return conn.(*net.TCPConn).SetLinger(0) != nil },
		"connections closed by half":  func(conn net.Conn) bool { return conn.(*net.TCPConn).CloseWrite() == nil },
		"a slow handshake":            slowly,
		"a forged hello without TLS":  say(post),
		"a forged hello by TLS":       handshake(post, false),
		"another key":                 handshake(post, true),
		"TLS 1.2":                     oldTLS,
		"a header without end":        hold("POST /v1/sync HTTP/1.1\r\nX: " + strings.Repeat("y", 4000)),
		"a body that does not come":   hold(strings.Replace(post, hello, "", 1)),
		"many requests in one":        say(strings.Repeat("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 2000)),
		"answers that nobody reads":   hold(strings.Repeat("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 2000)),
		"half an SSH greeting":        hold("SSH-2.0-"),
		"SSH and noise":               say("SSH-2.0-x\r\n" + string(noise[:4096])),
		"SSH without a key":           logIn(),
		"SSH with another key":        logIn(ed25519Signer()),
		"a long SSH greeting":         hold("SSH-2.0-" + strings.Repeat("x", 60000)),
		"a handshake that is cut off": cutHandshake,
	}
}

// slowly says the beginning of a TLS handshake, a byte at a time.
func slowly(conn net.Conn) bool {
	near, far := net.Pipe()
	defer near.Close()
	go func() { _ = tls.Client(far, &tls.Config{InsecureSkipVerify: true}).Handshake() }()
	first := make([]byte, 4096)
	n, _ := near.Read(first)
	for _, b := range first[:min(n, 40)] {
		if _, err := conn.Write([]byte{b}); err != nil {
			return false
		}
		<-time.After(10 * time.Millisecond)
	}
	return true
}

// cutHandshake goes away in the middle of a TLS handshake.
func cutHandshake(conn net.Conn) bool {
	_ = conn.SetDeadline(time.Now().Add(5 * time.Millisecond))
	_ = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).Handshake()
	return false
}

// oldTLS offers no version of TLS that the leader takes.
func oldTLS(conn net.Conn) bool {
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	_ = tls.Client(conn, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}).Handshake()
	return false
}

// handshake makes a TLS handshake, with a certificate of another key or with none, and says something.
func handshake(text string, withKey bool) func(net.Conn) bool {
	config := &tls.Config{InsecureSkipVerify: true}
	if public, private, err := ed25519.GenerateKey(rand.Reader); err == nil && withKey {
		template := &x509.Certificate{SerialNumber: big.NewInt(1)}
		der, _ := x509.CreateCertificate(rand.Reader, template, template, public, private)
		config.Certificates = []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: private}}
	}
	return func(conn net.Conn) bool {
		_ = conn.SetDeadline(time.Now().Add(time.Second))
		secure := tls.Client(conn, config)
		_, _ = io.WriteString(secure, text)
		_, _ = secure.Read(make([]byte, 4096))
		return false
	}
}

func ed25519Signer() ssh.Signer {
	_, private, _ := ed25519.GenerateKey(rand.Reader)
	signer, _ := ssh.NewSignerFromKey(private)
	return signer
}

// logIn logs in as the leader does, with keys of its own.
func logIn(keys ...ssh.Signer) func(net.Conn) bool {
	config := &ssh.ClientConfig{
		User: "algo-1", HostKeyCallback: ssh.InsecureIgnoreHostKey(),
		Auth: []ssh.AuthMethod{ssh.PublicKeys(keys...)},
	}
	return func(conn net.Conn) bool {
		_ = conn.SetDeadline(time.Now().Add(time.Second))
		if _, _, _, err := ssh.NewClientConn(conn, "algo-2", config); err == nil {
			fmt.Println("got in")
		}
		return false
	}
}

// attacker is where attacks come from.
type attacker struct {
	*namespaces
	program string // the path of attack there
}

// addStranger adds a host that is not one of the job.
func (l *lab) addStranger() attacker {
	l.t.Helper()
	s := holdNamespaces(l.t, "", "true")
	cable := fmt.Sprintf("ip link add port-s type veth peer name eth0 netns %d && "+
		"ip link set port-s master br0 up", s.pid())
	must(l.t, l.bridge.in("sh", "-c", cable)...)
	must(l.t, s.in("sh", "-c", "ip addr add 10.77.0.99/24 dev eth0 && ip link set eth0 up")...)
	return attacker{s, tools() + "/attack"}
}

// startAttack starts an attack on a host. stop ends it.
func (l *lab) startAttack(from attacker, kind string, on int) (stop func()) {
	l.t.Helper()
	argv := from.in(from.program, kind, fmt.Sprintf("10.77.0.%d:7791", on+1))
	cmd, said := exec.Command(argv[0], argv[1:]...), &text{}
	cmd.Stdout, cmd.Stderr, cmd.Env = said, said, []string{"GOMAXPROCS=1"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	return func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if said.String() != "" {
			l.t.Errorf("%s: %s", kind, said.String())
		}
	}
}

// TestAttacksChangeNoExitCode: hosts and programs without the cluster key attack the ports of all hosts, from
// an address of no host and from those of the hosts. The job ends as it does without them.
func TestAttacksChangeNoExitCode(t *testing.T) {
	const script = `echo training; until [ -e /opt/ml/go ]; do sleep 0.05; done; `
	kinds := slices.Sorted(maps.Keys(attacks()))
	start := func(l *lab, from []attacker, kind string) (stop func()) {
		var stops []func()
		for _, each := range from {
			stops = append(stops, l.startAttack(each, kind, 0), l.startAttack(each, kind, 1))
		}
		return func() {
			for _, stop := range stops {
				stop()
			}
		}
	}
	t.Run("one after the other", func(t *testing.T) {
		t.Parallel()
		s := scenario{n: 2, words: launchArgs(standIn, "sh", "-c", script), codes: []int{0, 0}}
		s.act = func(l *lab) {
			from := []attacker{l.addStranger()}
			for _, h := range l.hosts {
				from = append(from, attacker{h.namespaces, "/opt/bin/attack"})
			}
			for _, kind := range kinds {
				stop := start(l, from, kind)
				<-time.After(300 * time.Millisecond)
				stop()
				for i, h := range l.hosts {
					if code := h.job.waitForEnd(0); code != -1 {
						t.Fatalf("%s: algo-%d has ended with %d", kind, i+1, code)
					}
				}
			}
			l.endTrainers()
		}
		s.run(t)
	})
	t.Run("all at once, from before the start", func(t *testing.T) {
		t.Parallel()
		var stops []func()
		s := scenario{
			n: 2, words: launchArgs(standIn, "sh", "-c", script+`test $RANK = 1 && exit 3; sleep 60`),
			codes: []int{3, 3}, failure: "algo-2: rank 1: exit code 3",
			failed: map[int]string{1: "(algo-2: )?rank 1: exit code 3"},
		}
		s.prepare = func(l *lab) {
			from := []attacker{l.addStranger()}
			for _, kind := range kinds {
				stops = append(stops, start(l, from, kind))
			}
		}
		s.act = func(l *lab) {
			<-time.After(8 * time.Second) // longer than --peer-timeout
			l.endTrainers()
		}
		s.run(t)
		for _, stop := range stops {
			stop()
		}
	})
}
