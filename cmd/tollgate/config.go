package main

// Config holds all settings. Each group is a struct whose fields say in their tags
// which variable they come from (envconfig), what it is when unset or empty
// (default), what it means (desc), and what it has to be:
//
//	min, max   bounds of a number, size or duration; durations are positive without
//	oneof      the words that are allowed
//	empty      "off": a variable that is set to nothing means nothing, not the default
//
// No field's type ever fails to decode: it keeps its fault, so that loadConfig can
// report all of them together.
type Config struct {
	Listeners  ListenerSettings   `group:"Listeners"`
	Roles      RoleSettings       `group:"Roles"`
	Routes     RouteSettings      `group:"Routes"`
	Redis      RedisSettings      `group:"Redis"`
	Tokens     TokenSettings      `group:"Tokens"`
	Keys       KeySettings        `group:"Keys"`
	Revocation RevocationSettings `group:"Revocation"`
	Login      LoginSettings      `group:"Log-in"`
	Cookies    CookieSettings     `group:"Cookies"`
	Shape      ShapeSettings      `group:"Shape"`
	Admin      AdminSettings      `group:"Admin"`
	Observe    ObserveSettings    `group:"Observe"`

	// Tracing says that spans are sent, as the standard OTEL_* variables ask.
	Tracing bool

	// Warnings are what is odd but no fault, such as variables that nobody knows.
	Warnings []string
}

// ListenerSettings are the addresses and what bounds connections to them.
type ListenerSettings struct {
	Listen            Address  `envconfig:"TOLLGATE_LISTEN" default:":8080" desc:"address of the public listener"`
	AdminListen       Address  `envconfig:"TOLLGATE_ADMIN_LISTEN" default:"127.0.0.1:8081" empty:"off" desc:"address of the admin listener; empty: off"`
	OpsListen         Address  `envconfig:"TOLLGATE_OPS_LISTEN" default:"127.0.0.1:9000" empty:"off" desc:"address of health and metrics; empty: off"`
	PublicURL         URL      `envconfig:"TOLLGATE_PUBLIC_URL" desc:"URL under which others reach the public listener; empty: scheme and host of TOLLGATE_ISSUER"`
	TLSCertFile       File     `envconfig:"TOLLGATE_TLS_CERT_FILE" desc:"certificate of the public listener with its chain (PEM), read again when it changes; empty: no TLS"`
	TLSKeyFile        File     `envconfig:"TOLLGATE_TLS_KEY_FILE" desc:"its private key (PEM)"`
	HSTS              Duration `envconfig:"TOLLGATE_HSTS" default:"0s" min:"0s" desc:"how long browsers are told to come by TLS alone (Strict-Transport-Security); 0: they are not"`
	TrustedProxies    Networks `envconfig:"TOLLGATE_TRUSTED_PROXIES" desc:"networks whose X-Forwarded-* headers are believed, comma separated"`
	MaxHeaderBytes    Size     `envconfig:"TOLLGATE_MAX_HEADER_BYTES" default:"16KiB" min:"1KiB" max:"1MiB" desc:"longest request header"`
	ReadHeaderTimeout Duration `envconfig:"TOLLGATE_READ_HEADER_TIMEOUT" default:"5s" desc:"time a client has to send a request's header"`
	IdleTimeout       Duration `envconfig:"TOLLGATE_IDLE_TIMEOUT" default:"90s" desc:"how long an unused connection is kept"`
	ShutdownDelay     Duration `envconfig:"TOLLGATE_SHUTDOWN_DELAY" default:"0s" min:"0s" desc:"time between failing readiness and closing the listeners"`
	CORSOrigins       Origins  `envconfig:"TOLLGATE_CORS_ORIGINS" desc:"origins whose pages may read answers, refusals included: exact, comma separated; empty: off"`
	ShutdownTimeout   Duration `envconfig:"TOLLGATE_SHUTDOWN_TIMEOUT" default:"30s" desc:"time that requests in flight have to finish"`
}

// RoleSettings say what this process does.
type RoleSettings struct {
	Gateway Bool `envconfig:"TOLLGATE_ENABLE_GATEWAY" default:"true" desc:"stand in front of the upstreams"`
	Issuer  Bool `envconfig:"TOLLGATE_ENABLE_ISSUER" default:"true" desc:"log users in and sign tokens"`
	Admin   Bool `envconfig:"TOLLGATE_ENABLE_ADMIN" default:"true" desc:"serve the admin API"`
}

// RouteSettings say where the gateway's routes come from.
type RouteSettings struct {
	Upstream   URL      `envconfig:"TOLLGATE_UPSTREAM" desc:"one upstream: the whole site needs a token; or"`
	RoutesFile File     `envconfig:"TOLLGATE_ROUTES_FILE" desc:"the routes file (YAML)"`
	RoutesPoll Duration `envconfig:"TOLLGATE_ROUTES_POLL" default:"2s" min:"0s" desc:"how often the routes file is looked at; 0: never"`
}

// RedisSettings say how Redis is reached.
type RedisSettings struct {
	URL           RedisURL  `envconfig:"TOLLGATE_REDIS_URL" default:"redis://127.0.0.1:6379/0" desc:"redis:// rediss:// unix:// redis+sentinel://h1:26379,h2:26379/MASTER/DB redis+cluster://h1:6379,h2:6379 (rediss+… with TLS) or embedded: (in memory, for trying out)"`
	Username      Text      `envconfig:"TOLLGATE_REDIS_USERNAME" desc:"user, over the one in the URL"`
	Password      Secret    `envconfig:"TOLLGATE_REDIS_PASSWORD" desc:"password, over the one in the URL"`
	CAFile        File      `envconfig:"TOLLGATE_REDIS_CA_FILE" desc:"certificates (PEM) that Redis's own is checked with, instead of the system's"`
	Prefix        KeyPrefix `envconfig:"TOLLGATE_REDIS_PREFIX" default:"tg:" desc:"what all keys begin with"`
	OpTimeout     Duration  `envconfig:"TOLLGATE_REDIS_OP_TIMEOUT" default:"100ms" min:"1ms" max:"10s" desc:"time that one command of a request has; a log-in and an admin request have four times that for all of theirs, 400 ms at least"`
	MinReplicas   Count     `envconfig:"TOLLGATE_REDIS_MIN_REPLICAS_ACK" default:"0" min:"0" max:"16" desc:"replicas that must have a revocation before it is acknowledged, and that vouch for what is read; 0: none"`
	AllowEviction Bool      `envconfig:"TOLLGATE_REDIS_ALLOW_EVICTION" default:"false" desc:"be ready although Redis may evict revocations (maxmemory-policy is not noeviction)"`
}

// TokenSettings say what tokens look like, how long they live, and where they are
// looked for.
type TokenSettings struct {
	Issuer          Issuer      `envconfig:"TOLLGATE_ISSUER" desc:"the iss of our tokens; required with the issuer role"`
	IssuerHosts     Hosts       `envconfig:"TOLLGATE_ISSUER_HOSTS" desc:"host names on which the issuer answers, comma separated; empty: all"`
	Audience        List        `envconfig:"TOLLGATE_AUDIENCE" desc:"the aud of our tokens, comma separated; empty: none"`
	AccessTTL       Duration    `envconfig:"TOLLGATE_ACCESS_TTL" default:"5m" min:"1s" desc:"life of an access token"`
	RefreshTTL      Duration    `envconfig:"TOLLGATE_REFRESH_TTL" default:"24h" min:"1s" desc:"life of a refresh token; cut to TOLLGATE_SESSION_MAX_TTL"`
	SessionMaxTTL   Duration    `envconfig:"TOLLGATE_SESSION_MAX_TTL" default:"720h" min:"1s" desc:"longest life of a session, however often it is refreshed"`
	SlidingTTL      Duration    `envconfig:"TOLLGATE_SLIDING_TTL" default:"5m" min:"1s" desc:"life of a sliding token; cut to TOLLGATE_SESSION_MAX_TTL"`
	SlidingRefresh  Duration    `envconfig:"TOLLGATE_SLIDING_REFRESH_TTL" default:"24h" min:"1s" desc:"how long after the log-in a sliding token can be exchanged for a later one; cut to TOLLGATE_SESSION_MAX_TTL"`
	RefreshRotate   Bool        `envconfig:"TOLLGATE_REFRESH_ROTATE" default:"true" desc:"a refresh gives a new refresh token and ends the old one"`
	RefreshGrace    Duration    `envconfig:"TOLLGATE_REFRESH_GRACE" default:"5s" min:"0s" max:"10m" desc:"how long the token before the last may be sent again and gets the same answer"`
	Leeway          Duration    `envconfig:"TOLLGATE_LEEWAY" default:"10s" min:"0s" max:"5m" desc:"difference of clocks that is forgiven"`
	MaxTokenBytes   Size        `envconfig:"TOLLGATE_MAX_TOKEN_BYTES" default:"8192" min:"512" max:"64KiB" desc:"longest token that is looked at"`
	TokenMemory     Size        `envconfig:"TOLLGATE_TOKEN_MEMORY" default:"64MiB" min:"0" max:"64GiB" desc:"memory for tokens whose signature was checked (about 2 KiB each), so that it is checked once; 0 checks it at each request"`
	TokenTyp        Choice      `envconfig:"TOLLGATE_TOKEN_TYP" default:"JWT" oneof:"JWT at+jwt" desc:"the typ in the header of our access and sliding tokens"`
	UserIDField     Attribute   `envconfig:"TOLLGATE_USER_ID_FIELD" default:"id" desc:"the user's attribute that goes into TOLLGATE_USER_ID_CLAIM"`
	UserIDClaim     UserIDClaim `envconfig:"TOLLGATE_USER_ID_CLAIM" default:"user_id" desc:"the claim with the user's id"`
	UserIDType      Choice      `envconfig:"TOLLGATE_USER_ID_TYPE" default:"text" oneof:"text number" desc:"whether that claim is text or a number"`
	Claims          Claims      `envconfig:"TOLLGATE_CLAIMS" desc:"further claims, comma separated: claim=attribute"`
	StatusList      Bool        `envconfig:"TOLLGATE_STATUS_LIST" default:"false" desc:"access tokens name a status list, and it and the revocations are served, for verifiers without a mirror (docs/third-party-verifiers.md)"`
	ResponseFields  Attributes  `envconfig:"TOLLGATE_RESPONSE_USER_FIELDS" desc:"attributes of the user that a log-in answers beside the tokens, in the object user, comma separated; empty: none"`
	PasswordClaim   Bool        `envconfig:"TOLLGATE_PASSWORD_CLAIM" default:"false" desc:"tie tokens to the user's password (claim hash_password): a refresh after it was changed is refused; switched on, it ends the sessions from before"`
	AuthHeaderTypes Schemes     `envconfig:"TOLLGATE_AUTH_HEADER_TYPES" default:"Bearer" desc:"schemes of the Authorization header, comma separated; the first stands in WWW-Authenticate"`
}

// KeySettings say which keys sign, where they are kept, and whose others are
// trusted.
type KeySettings struct {
	SigningAlg         Algorithms `envconfig:"TOLLGATE_SIGNING_ALG" default:"ES256" desc:"ES256 ES384 ES512 RS256 RS384 RS512 PS256 PS384 PS512 EdDSA, comma separated; the first signs"`
	Store              KeyStore   `envconfig:"TOLLGATE_KEY_STORE" default:"redis" desc:"where the private keys are kept: redis, or file:DIR"`
	EncryptionKey      SealKeys   `envconfig:"TOLLGATE_KEY_ENCRYPTION_KEY" desc:"seals the private keys in Redis: base64 of 32 bytes; in a comma separated list the first seals and all open"`
	AllowUnsealed      Bool       `envconfig:"TOLLGATE_ALLOW_UNSEALED_KEYS" default:"false" desc:"put private keys into Redis as they are"`
	RotateEvery        Duration   `envconfig:"TOLLGATE_KEY_ROTATE_EVERY" default:"720h" min:"0s" desc:"how long a key signs; 0: until it is rotated by hand"`
	Prepublish         Duration   `envconfig:"TOLLGATE_KEY_PREPUBLISH" default:"15m" desc:"how long a key is published before it signs: the verifiers' cache time"`
	JWKSMaxAge         Duration   `envconfig:"TOLLGATE_JWKS_MAX_AGE" default:"5m" min:"1s" desc:"max-age of the published keys; at most TOLLGATE_KEY_PREPUBLISH"`
	SignerURL          URL        `envconfig:"TOLLGATE_KEY_SIGNER_URL" desc:"external signer that makes and keeps the private keys (docs/keys.md); empty: they are made here"`
	SignerToken        Secret     `envconfig:"TOLLGATE_KEY_SIGNER_TOKEN" desc:"bearer token for the external signer"`
	SignerCertFile     File       `envconfig:"TOLLGATE_KEY_SIGNER_CERT_FILE" desc:"client certificate for the external signer (PEM); empty: none"`
	SignerKeyFile      File       `envconfig:"TOLLGATE_KEY_SIGNER_KEY_FILE" desc:"its private key (PEM)"`
	SignerCAFile       File       `envconfig:"TOLLGATE_KEY_SIGNER_CA_FILE" desc:"who vouches for the external signer (PEM); empty: the system's"`
	SignerTimeout      Duration   `envconfig:"TOLLGATE_KEY_SIGNER_TIMEOUT" default:"2s" min:"10ms" max:"30s" desc:"how long one signature may take"`
	JWKSRefresh        Duration   `envconfig:"TOLLGATE_JWKS_REFRESH" default:"5m" min:"1s" max:"24h" desc:"how often the keys of trusted issuers are fetched"`
	JWKSMinRefetch     Duration   `envconfig:"TOLLGATE_JWKS_MIN_REFETCH" default:"10s" min:"1s" desc:"least time between two fetches of an issuer's keys, however many tokens name an unknown key"`
	TrustedIssuersFile File       `envconfig:"TOLLGATE_TRUSTED_ISSUERS_FILE" desc:"whose tokens are accepted besides our own (YAML)"`
}

// RevocationSettings say where it is looked up what is revoked, and what happens when
// Redis cannot be asked.
type RevocationSettings struct {
	Mode          Choice   `envconfig:"TOLLGATE_REVOCATION_MODE" default:"mirror" oneof:"mirror lookup" desc:"mirror: what is revoked is known in memory; lookup: Redis is asked for each request"`
	Journal       FilePath `envconfig:"TOLLGATE_REVOCATION_JOURNAL" desc:"file, of this process alone, in which every revocation is also on disk before it is acknowledged; empty: off"`
	MaxStale      Duration `envconfig:"TOLLGATE_REVOCATION_MAX_STALE" default:"5s" min:"100ms" desc:"how old the knowledge of what is revoked may be"`
	OnUnavailable Choice   `envconfig:"TOLLGATE_REVOCATION_ON_UNAVAILABLE" default:"deny" oneof:"deny allow" desc:"deny (503) or allow while Redis cannot be reached"`
}

// LoginSettings say who may log in.
type LoginSettings struct {
	Users         Users  `envconfig:"TOLLGATE_USERS" default:"redis" desc:"where the users are: redis, file:PATH (YAML or htpasswd), or an http(s):// URL that is asked"`
	UsersSecret   Secret `envconfig:"TOLLGATE_USERS_SECRET" desc:"sent to that URL as a bearer token"`
	UsersCAFile   File   `envconfig:"TOLLGATE_USERS_CA_FILE" desc:"certificates (PEM) that its own is checked with, instead of the system's"`
	UsersCertFile File   `envconfig:"TOLLGATE_USERS_CERT_FILE" desc:"certificate (PEM) that is shown to it, read again at each connection"`
	UsersKeyFile  File   `envconfig:"TOLLGATE_USERS_KEY_FILE" desc:"its private key (PEM)"`
	Field         Choice `envconfig:"TOLLGATE_LOGIN_FIELD" default:"username" oneof:"username email" desc:"what users log in with, and the name of that field"`
	Rate          Rate   `envconfig:"TOLLGATE_LOGIN_RATE" default:"10/m" empty:"off" desc:"attempts at passwords for one name and for one address, such as 10/m; empty: no limit"`
	LastLogin     Bool   `envconfig:"TOLLGATE_UPDATE_LAST_LOGIN" default:"false" desc:"date the user's last log-in"`
	Concurrency   Count  `envconfig:"TOLLGATE_LOGIN_CONCURRENCY" default:"0" min:"0" max:"1024" desc:"passwords hashed at once, 19 MiB each; 0: one per processor"`

	ImpersonateClaim ClaimMatch `envconfig:"TOLLGATE_IMPERSONATE_CLAIM" desc:"claim=value: tokens with it may act as another user, beside superusers; empty: none may"`
}

// CookieSettings say in which cookies tokens are handed out and looked for.
type CookieSettings struct {
	Name              CookieName   `envconfig:"TOLLGATE_COOKIE_NAME" desc:"cookie that holds the access token; empty: off"`
	RefreshName       CookieName   `envconfig:"TOLLGATE_REFRESH_COOKIE_NAME" desc:"cookie that holds the refresh token; no back end gets it; empty: off"`
	ImpersonationName CookieName   `envconfig:"TOLLGATE_IMPERSONATION_COOKIE_NAME" desc:"cookie that may hold an impersonation token; it comes before the other; empty: off"`
	Domain            CookieDomain `envconfig:"TOLLGATE_COOKIE_DOMAIN" desc:"domain of our cookies; empty: the host that answered"`
	Path              CookiePath   `envconfig:"TOLLGATE_COOKIE_PATH" default:"/" desc:"path of our cookies"`
	Secure            Bool         `envconfig:"TOLLGATE_COOKIE_SECURE" default:"true" desc:"our cookies travel by TLS alone"`
	SameSite          Choice       `envconfig:"TOLLGATE_COOKIE_SAMESITE" default:"Lax" oneof:"Lax Strict None" desc:"SameSite of our cookies: Lax, Strict or None"`
	Only              Bool         `envconfig:"TOLLGATE_COOKIE_ONLY" default:"false" desc:"leave tokens that are in a cookie out of the answer's body"`
}

// ShapeSettings say what the issuer's HTTP surface looks like.
type ShapeSettings struct {
	APIPrefix        PathPrefix `envconfig:"TOLLGATE_API_PREFIX" default:"/api" desc:"path below which the token endpoints are"`
	Compat           Compat     `envconfig:"TOLLGATE_COMPAT" default:"simplejwt" desc:"whose endpoints exist: simplejwt, drf-jwt, comma separated; the first shapes the refusals of routes"`
	DRFTokenID       Choice     `envconfig:"TOLLGATE_DRF_TOKEN_ID" default:"require" oneof:"require include off" desc:"whether tokens of drf-jwt's endpoints carry a jti, and one without is refused"`
	DRFAllowRefresh  Bool       `envconfig:"TOLLGATE_DRF_ALLOW_REFRESH" default:"true" desc:"they carry orig_iat and can be refreshed"`
	DRFIncludeUserID Bool       `envconfig:"TOLLGATE_DRF_INCLUDE_USER_ID" default:"true" desc:"they carry TOLLGATE_USER_ID_CLAIM"`
}

// AdminSettings say who may administer.
type AdminSettings struct {
	Token Secret `envconfig:"TOLLGATE_ADMIN_TOKEN" desc:"bearer token of the admin API, at least 16 characters; required with the admin role"`

	AuditLines Count    `envconfig:"TOLLGATE_AUDIT_LINES" default:"100000" min:"1000" max:"100000000" desc:"lines that the audit log keeps: so many of administrators' actions, and as many of all else (about 250 bytes each in Redis)"`
	AuditAge   Duration `envconfig:"TOLLGATE_AUDIT_AGE" default:"2160h" min:"1h" desc:"how long the audit log keeps a line, as far as TOLLGATE_AUDIT_LINES allow"`
}

// ObserveSettings say what is logged.
type ObserveSettings struct {
	LogLevel  Choice `envconfig:"TOLLGATE_LOG_LEVEL" default:"info" oneof:"debug info warn error" desc:"least level that is logged"`
	LogFormat Choice `envconfig:"TOLLGATE_LOG_FORMAT" default:"auto" oneof:"auto json text" desc:"auto: text on a terminal, else JSON"`
	AccessLog Bool   `envconfig:"TOLLGATE_ACCESS_LOG" default:"true" desc:"one line per request"`
	LogSample Count  `envconfig:"TOLLGATE_ACCESS_LOG_SAMPLE" default:"1" min:"1" max:"1000000" desc:"of how many requests that were let through one leaves its line; refusals and errors always leave theirs"`
	Profiling Bool   `envconfig:"TOLLGATE_PROFILING" default:"false" desc:"serve /debug/pprof/ on the ops listener"`
}
