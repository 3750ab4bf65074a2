{{- /* The variables of a component's container. */}}
{{- define "tollgate.env" -}}
{{- $v := .root.Values }}
{{- $c := .component }}
{{- $edge := and $v.split.enabled (not $c.issuer) }}
- {name: TOLLGATE_LISTEN, value: ":8080"}
- {name: TOLLGATE_OPS_LISTEN, value: ":9000"}
- {name: TOLLGATE_ENABLE_GATEWAY, value: {{ $c.gateway | quote }}}
- {name: TOLLGATE_ENABLE_ISSUER, value: {{ $c.issuer | quote }}}
- {name: TOLLGATE_ENABLE_ADMIN, value: {{ $c.issuer | quote }}}
- {name: TOLLGATE_ISSUER, value: {{ $v.issuer | quote }}}
- {name: TOLLGATE_SHUTDOWN_DELAY, value: {{ printf "%vs" $v.shutdown.delaySeconds | quote }}}
- {name: TOLLGATE_SHUTDOWN_TIMEOUT, value: {{ printf "%vs" $v.shutdown.timeoutSeconds | quote }}}
{{- if and $c.issuer $v.admin.expose }}
- {name: TOLLGATE_ADMIN_LISTEN, value: ":8081"}
{{- end }}
{{- if $c.issuer }}
- {name: TOLLGATE_ADMIN_TOKEN_FILE, value: /run/secrets/tollgate/admin-token}
{{- if eq (toString (index $c.settings "KEY_STORE" | default "redis")) "redis" }}
- {name: TOLLGATE_KEY_ENCRYPTION_KEY_FILE, value: /run/secrets/tollgate/key-encryption-key}
{{- end }}
{{- end }}
{{- if $v.redis.urlKey }}
- {name: TOLLGATE_REDIS_URL_FILE, value: /run/secrets/tollgate/redis-url}
{{- else }}
- {name: TOLLGATE_REDIS_URL, value: {{ include "tollgate.redisURL" .root | quote }}}
{{- with ternary (default $v.redis.username $v.redis.edgeUsername) $v.redis.username $edge }}
- {name: TOLLGATE_REDIS_USERNAME, value: {{ . | quote }}}
{{- end }}
{{- if include "tollgate.hasRedisPassword" .root }}
- {name: TOLLGATE_REDIS_PASSWORD_FILE, value: /run/secrets/tollgate/redis-password}
{{- end }}
{{- end }}
{{- if $v.redis.tls.caSecret }}
- {name: TOLLGATE_REDIS_CA_FILE, value: {{ printf "/etc/tollgate/redis/%s" $v.redis.tls.caKey | quote }}}
{{- end }}
{{- if and $c.gateway (include "tollgate.hasRoutes" .root) }}
- {name: TOLLGATE_ROUTES_FILE, value: /etc/tollgate/routes/routes.yaml}
{{- end }}
{{- if .trusted }}
- {name: TOLLGATE_TRUSTED_ISSUERS_FILE, value: /etc/tollgate/issuers/issuers.yaml}
{{- end }}
{{- range $name, $value := $c.settings }}
{{- if not (and (eq $name "UPSTREAM") (not $c.gateway)) }}
- {name: {{ printf "TOLLGATE_%s" $name }}, value: {{ $value | toString | quote }}}
{{- end }}
{{- end }}
{{- with $v.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* Whether anything of the Secret is for this component. */}}
{{- define "tollgate.usesSecret" -}}
{{- if or .component.issuer .root.Values.redis.urlKey (include "tollgate.hasRedisPassword" .root) }}true{{ end }}
{{- end }}

{{- /* Folders, never single files: those of a ConfigMap would not change. */}}
{{- define "tollgate.mounts" -}}
{{- $v := .root.Values }}
- {name: tmp, mountPath: /tmp}
{{- if include "tollgate.usesSecret" . }}
- {name: secrets, mountPath: /run/secrets/tollgate, readOnly: true}
{{- end }}
{{- if and .component.gateway (include "tollgate.hasRoutes" .root) }}
- {name: routes, mountPath: /etc/tollgate/routes, readOnly: true}
{{- end }}
{{- if .trusted }}
- {name: issuers, mountPath: /etc/tollgate/issuers, readOnly: true}
{{- end }}
{{- if $v.redis.tls.caSecret }}
- {name: redis-ca, mountPath: /etc/tollgate/redis, readOnly: true}
{{- end }}
{{- with $v.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "tollgate.volumes" -}}
{{- $v := .root.Values }}
{{- $edge := and $v.split.enabled (not .component.issuer) }}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- if include "tollgate.usesSecret" . }}
- name: secrets
  secret:
    secretName: {{ include "tollgate.secret" .root }}
    defaultMode: 0440
    items:
      {{- if .component.issuer }}
      - {key: admin-token, path: admin-token}
      {{- if eq (toString (index .component.settings "KEY_STORE" | default "redis")) "redis" }}
      - {key: key-encryption-key, path: key-encryption-key}
      {{- end }}
      {{- end }}
      {{- if $v.redis.urlKey }}
      - {key: {{ $v.redis.urlKey }}, path: redis-url}
      {{- else if include "tollgate.hasRedisPassword" .root }}
      - {key: {{ ternary (default "redis-password" $v.redis.edgePasswordKey) "redis-password" $edge }}, path: redis-password}
      {{- end }}
{{- end }}
{{- if and .component.gateway (include "tollgate.hasRoutes" .root) }}
- name: routes
  configMap: {name: {{ include "tollgate.routes" .root }}}
{{- end }}
{{- if .trusted }}
- name: issuers
  configMap: {name: {{ printf "%s-issuers" .component.name }}}
{{- end }}
{{- if $v.redis.tls.caSecret }}
- name: redis-ca
  secret: {secretName: {{ $v.redis.tls.caSecret }}, defaultMode: 0440}
{{- end }}
{{- with $v.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
