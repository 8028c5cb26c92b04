package hosts

import (
	"encoding/gob"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// gloo is a trainer that meets the others as Gloo does. The first host collects an address of each host at
// MASTER_ADDR and tells all of them to all. Then each host connects to the next one. A host's address is that
// of the interface GLOO_SOCKET_IFNAME; without the variable, it is that of the machine's own hostname.
func gloo([]string) int {
	err := meetAsGloo()
	if err != nil {
		fmt.Fprintln(os.Stderr, "RuntimeError: "+err.Error())
		return 1
	}
	fmt.Println("all have met")
	return 0
}

func meetAsGloo() error {
	address, err := glooAddress()
	if err != nil {
		return err
	}
	own, err := net.Listen("tcp", address+":0")
	if err != nil {
		return err
	}
	index, _ := strconv.Atoi(os.Getenv("NODE_RANK"))
	n, _ := strconv.Atoi(os.Getenv("JAX_NUM_PROCESSES"))
	if index == 0 {
		go serveStore(n)
	}
	var store net.Conn
	if err := eventually("the store at MASTER_ADDR", func() bool {
		store, err = net.Dial("tcp", net.JoinHostPort(os.Getenv("MASTER_ADDR"), os.Getenv("MASTER_PORT")))
		return err == nil
	}); err != nil {
		return err
	}
	var all []string
	if err := gob.NewEncoder(store).Encode(fmt.Sprint(index, " ", own.Addr())); err != nil {
		return err
	}
	if err := gob.NewDecoder(store).Decode(&all); err != nil {
		return err
	}
	next, err := net.DialTimeout("tcp", all[(index+1)%n], 5*time.Second)
	if err != nil {
		return err
	}
	defer func() { _ = next.Close() }()
	_, err = own.Accept()
	return err
}

// glooAddress returns the address that this host tells the others.
func glooAddress() (string, error) {
	if name := os.Getenv("GLOO_SOCKET_IFNAME"); name != "" {
		i, err := net.InterfaceByName(name)
		if err != nil {
			return "", err
		}
		addresses, err := i.Addrs()
		if err != nil {
			return "", err
		}
		ip, _, err := net.ParseCIDR(addresses[0].String())
		return ip.String(), err
	}
	name, err := os.Hostname()
	if err != nil {
		return "", err
	}
	addresses, err := net.LookupHost(name)
	if err != nil {
		return "", err
	}
	return addresses[0], nil
}

// serveStore gives every host the addresses of all hosts.
func serveStore(n int) {
	l, err := net.Listen("tcp", ":"+os.Getenv("MASTER_PORT"))
	if err != nil {
		return // the host that asks says so
	}
	all, conns := make([]string, n), make([]net.Conn, n)
	for i := range n {
		var said string
		if conns[i], err = l.Accept(); err != nil {
			return
		}
		if err = gob.NewDecoder(conns[i]).Decode(&said); err != nil {
			return
		}
		index, address, _ := strings.Cut(said, " ")
		place, _ := strconv.Atoi(index)
		all[place] = address
	}
	for _, conn := range conns {
		_ = gob.NewEncoder(conn).Encode(all)
	}
}

// lookLikeTheExampleOfThePlatform gives each host two interfaces, as in the platform's example of
// resourceconfig.json: eth1 leads to the other hosts, and the machine's own hostname leads to eth0, by which
// no other host can be reached.
func lookLikeTheExampleOfThePlatform(l *lab) {
	for i, h := range l.hosts {
		const file = "ml/input/config/resourceconfig.json"
		h.write(file, strings.Replace(h.read(file), `"eth0"`, `"eth1"`, 1))
		own := fmt.Sprintf("10.78.0.%d", i+1)
		h.write("hosts", h.read("hosts")+own+" ip-"+strconv.Itoa(i)+"\n")
		const change = `ip link set eth0 down && ip link set eth0 name eth1 && ip link set eth1 up &&
ip link add eth0 type veth peer name far0 && ip addr add "$0/24" dev eth0 &&
ip link set far0 up && ip link set eth0 up && hostname "$1"`
		must(l.t, h.in("sh", "-c", change, own, "ip-"+strconv.Itoa(i))...)
	}
}

// TestTrainersMeetOnTheNetworkBetweenTheHosts: the trainers find each other where the hostname leads to
// another interface. The same trainers without the variable fail, so that the test shows what it means to.
func TestTrainersMeetOnTheNetworkBetweenTheHosts(t *testing.T) {
	for _, s := range []scenario{
		{name: "two interfaces", n: 3, words: trainArgs("gloo"), codes: []int{0, 0, 0}},
		{
			name: "a variable of the container stays", n: 2, words: trainArgs("gloo"), codes: []int{1, 1},
			special: map[int][]string{0: {"GLOO_SOCKET_IFNAME=eth0"}},
			failure: "algo-2: exit code 1: RuntimeError: dial tcp 10.78.0.1",
			failed:  map[int]string{1: "RuntimeError: dial"},
		},
	} {
		s.prepare = lookLikeTheExampleOfThePlatform
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t)
		})
	}
}
