// Command openbao is an OpenBao server for tests: what ../vault_server is for Vault, of OpenBao's own modules.
//
// The two differ in what they import and in little else; they stay apart because each is a module that knows nothing
// of the other's dependencies.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	log "github.com/hashicorp/go-hclog"
	"github.com/openbao/openbao/audit"
	auditfile "github.com/openbao/openbao/builtin/audit/file"
	"github.com/openbao/openbao/builtin/credential/approle"
	"github.com/openbao/openbao/builtin/credential/cert"
	jwtauth "github.com/openbao/openbao/builtin/credential/jwt"
	kubernetes "github.com/openbao/openbao/builtin/credential/kubernetes"
	"github.com/openbao/openbao/builtin/credential/userpass"
	"github.com/openbao/openbao/builtin/logical/database"
	kv "github.com/openbao/openbao/builtin/logical/kv"
	"github.com/openbao/openbao/helper/namespace"
	vaulthttp "github.com/openbao/openbao/http"
	"github.com/openbao/openbao/internalshared/configutil"
	"github.com/openbao/openbao/plugins/database/postgresql"
	"github.com/openbao/openbao/sdk/v2/helper/consts"
	"github.com/openbao/openbao/sdk/v2/logical"
	"github.com/openbao/openbao/sdk/v2/physical/inmem"
	"github.com/openbao/openbao/vault"
)

var (
	methods = map[string]logical.Factory{
		"approle":    approle.Factory,
		"cert":       cert.Factory,
		"jwt":        jwtauth.Factory,
		"kubernetes": kubernetes.Factory,
		"oidc":       jwtauth.Factory,
		"userpass":   userpass.Factory,
	}
	engines = map[string]logical.Factory{
		"database": database.Factory,
		"kv":       kv.Factory,
	}
	databases = map[string]func() (interface{}, error){"postgresql-database-plugin": postgresql.New}
)

// registry tells the core which plugins are compiled in.
type registry struct{}

func (registry) Get(name string, kind consts.PluginType) (func() (interface{}, error), bool) {
	if kind == consts.PluginTypeDatabase {
		found, ok := databases[name]
		return found, ok
	}
	found, ok := factories(kind)[name]
	return func() (interface{}, error) { return found, nil }, ok
}

func (r registry) Contains(name string, kind consts.PluginType) bool {
	_, ok := r.Get(name, kind)
	return ok
}

func (registry) Keys(kind consts.PluginType) []string {
	names := []string{}
	for name := range factories(kind) {
		names = append(names, name)
	}
	if kind == consts.PluginTypeDatabase {
		for name := range databases {
			names = append(names, name)
		}
	}
	return names
}

func (r registry) DeprecationStatus(name string, kind consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, r.Contains(name, kind)
}

func (registry) IsBuiltinEntPlugin(string, consts.PluginType) bool { return false }

func factories(kind consts.PluginType) map[string]logical.Factory {
	switch kind {
	case consts.PluginTypeCredential:
		return methods
	case consts.PluginTypeSecrets:
		return engines
	}
	return nil
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "openbao:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 || args[0] != "server" {
		return errors.New("usage: openbao server -dev -dev-root-token-id=TOKEN -dev-listen-address=ADDRESS")
	}
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	dev := flags.Bool("dev", false, "serve from memory, unsealed")
	token := flags.String("dev-root-token-id", "", "the root token")
	address := flags.String("dev-listen-address", "127.0.0.1:8200", "where to listen")
	flags.Bool("dev-no-store-token", true, "the token is never stored")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if !*dev || *token == "" {
		return errors.New("only -dev with -dev-root-token-id is supported")
	}
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		return err
	}
	core, err := started(*token, "http://"+listener.Addr().String())
	if err != nil {
		return err
	}
	return serve(core, listener)
}

func started(token, address string) (*vault.Core, error) {
	logger := log.New(&log.LoggerOptions{Level: log.Warn, Output: os.Stderr})
	storage, err := inmem.NewInmem(nil, logger)
	if err != nil {
		return nil, err
	}
	core, err := vault.NewCore(&vault.CoreConfig{
		AuditBackends:      map[string]audit.Factory{"file": auditfile.Factory},
		BuiltinRegistry:    registry{},
		CredentialBackends: methods,
		DevToken:           token,
		LogicalBackends:    engines,
		Logger:             logger,
		Physical:           storage,
		RedirectAddr:       address,
		StorageType:        "inmem",
	})
	if err != nil {
		return nil, err
	}
	return core, unsealed(core, token)
}

// unsealed initialises the core with one key, opens it, and exchanges the first root token for the one asked for.
func unsealed(core *vault.Core, token string) error {
	ctx := namespace.RootContext(context.Background())
	one := &vault.SealConfig{SecretShares: 1, SecretThreshold: 1, StoredShares: 1}
	made, err := core.Initialize(ctx, &vault.InitParams{BarrierConfig: one})
	if err != nil {
		return err
	}
	if _, err := core.Unseal(made.SecretShares[0]); err != nil {
		return err
	}
	wanted := map[string]interface{}{"id": token, "policies": []string{"root"}, "no_parent": true, "no_default_policy": true}
	secrets := map[string]interface{}{"type": "kv", "options": map[string]string{"version": "2"}}
	for _, request := range []*logical.Request{
		{Path: "auth/token/create", Data: wanted, ClientToken: made.RootToken},
		{Path: "auth/token/revoke-self", ClientToken: made.RootToken},
		{Path: "sys/mounts/secret", Data: secrets, ClientToken: token},
	} {
		request.Operation = logical.UpdateOperation
		reply, err := core.HandleRequest(ctx, request)
		if err == nil && reply.IsError() {
			err = reply.Error()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", request.Path, err)
		}
	}
	return nil
}

// serve answers until the process is told to end.
func serve(core *vault.Core, listener net.Listener) error {
	settings := &vault.HandlerProperties{Core: core, ListenerConfig: &configutil.Listener{Address: listener.Addr().String()}}
	server := &http.Server{Handler: vaulthttp.Handler.Handler(settings)}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return core.Shutdown()
}
