package main

import (
	"encoding/json"
	"fmt"
	"time"
)

// key opens the world that is measured; stripe-mock takes any.
const key = "sk_test_bench"

// What the sandbox and stripe-mock are sent, byte for byte the same.
const (
	authorization = "Authorization: Bearer " + key
	urlencoded    = "Content-Type: application/x-www-form-urlencoded"

	payBody      = "amount=2000&currency=usd&payment_method=pm_card_visa&confirm=true&description=order&metadata[order]=12345&payment_method_types[]=card"
	customerBody = "email=jenny%40example.com&name=Jenny+Rosen&metadata[user]=12345"
)

func get(addr, path string) *request { return newRequest("GET", addr, path, "", authorization) }

func post(addr, path, body string) *request {
	return newRequest("POST", addr, path, body, authorization, urlencoded)
}

func pay(addr string) *request { return post(addr, "/v1/payment_intents", payBody) }

// advance moves the clock of a sandbox's world.
func advance(addr string, seconds int) *request {
	return newRequest("POST", addr, "/_sandbox/clock/advance", fmt.Sprintf(`{"seconds":%d}`, seconds), authorization)
}

// ask sends one request on a connection of its own and gives the answer's body.
func ask(addr string, r *request) ([]byte, error) {
	w, err := dial(addr, time.Now().Add(lastAnswer))
	if err != nil {
		return nil, err
	}
	defer w.Close()
	one := r.own()
	r.number(one)
	if _, err := w.Write(one); err != nil {
		return nil, err
	}
	return w.next()
}

// askFor reads the answer as JSON.
func askFor(addr string, r *request, into any) error {
	body, err := ask(addr, r)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

// customer makes a customer in the sandbox and gives its id.
func customer(addr string) (string, error) {
	var made struct{ ID string }
	err := askFor(addr, post(addr, "/v1/customers", customerBody), &made)
	return made.ID, err
}

// objects counts what a sandbox holds, by kind.
func objects(addr string) (map[string]int64, error) {
	var state struct{ Objects map[string]int64 }
	err := askFor(addr, get(addr, "/_sandbox/state"), &state)
	return state.Objects, err
}

// holds checks that a sandbox has really made what it said it made.
func holds(addr, kind string, wanted int64) error {
	all, err := objects(addr)
	if err == nil && all[kind] != wanted {
		err = fmt.Errorf("the sandbox holds %d objects of the kind %s where %d were made", all[kind], kind, wanted)
	}
	return err
}
