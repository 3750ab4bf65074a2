{{- define "tollgate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "tollgate.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "tollgate.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "tollgate.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "tollgate.selector" -}}
app.kubernetes.io/name: {{ include "tollgate.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "tollgate.labels" -}}
{{ include "tollgate.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "tollgate.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "tollgate.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "tollgate.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "tollgate.secret" -}}
{{- default (include "tollgate.fullname" .) .Values.secrets.existingSecret }}
{{- end }}

{{- define "tollgate.routes" -}}
{{- default (printf "%s-routes" (include "tollgate.fullname" .)) .Values.routes.existingConfigMap }}
{{- end }}

{{- define "tollgate.hasRoutes" -}}
{{- if or .Values.routes.config .Values.routes.existingConfigMap }}true{{ end }}
{{- end }}

{{- /* Whether a password for Redis is in the Secret. */}}
{{- define "tollgate.hasRedisPassword" -}}
{{- if .Values.redis.urlKey }}{{ else if .Values.secrets.existingSecret }}{{ if .Values.redis.password }}true{{ end }}{{ else if .Values.secrets.redisPassword }}true{{ end }}
{{- end }}

{{- /*
The deployments: one that does all, or edges and issuer. Each is {name, gateway,
issuer, …} with the chart's own values under what `edge` or `issuerRole` say.
*/}}
{{- define "tollgate.components" -}}
{{- $full := include "tollgate.fullname" . }}
{{- $base := dict "replicaCount" .Values.replicaCount "resources" .Values.resources "autoscaling" .Values.autoscaling "podDisruptionBudget" .Values.podDisruptionBudget "settings" .Values.settings "nodeSelector" .Values.nodeSelector "tolerations" .Values.tolerations "affinity" .Values.affinity }}
{{- $all := list }}
{{- if .Values.split.enabled }}
{{- $all = append $all (mergeOverwrite (deepCopy $base) (deepCopy .Values.edge) (dict "component" "edge" "name" (printf "%s-edge" $full) "gateway" true "issuer" false)) }}
{{- $all = append $all (mergeOverwrite (deepCopy $base) (deepCopy .Values.issuerRole) (dict "component" "issuer" "name" (printf "%s-issuer" $full) "gateway" false "issuer" true)) }}
{{- else }}
{{- $all = append $all (merge (dict "component" "all" "name" $full "gateway" true "issuer" true) $base) }}
{{- end }}
{{- toYaml $all }}
{{- end }}

{{- define "tollgate.redisURL" -}}
{{- $tls := ternary "s" "" .Values.redis.tls.enabled }}
{{- $nodes := join "," .Values.redis.nodes }}
{{- if eq .Values.redis.mode "sentinel" }}
{{- printf "redis%s+sentinel://%s/%s/%v" $tls (required "redis.nodes: the Sentinels, as host:port" $nodes) .Values.redis.master .Values.redis.database }}
{{- else if eq .Values.redis.mode "cluster" }}
{{- printf "redis%s+cluster://%s" $tls (required "redis.nodes: some nodes of the cluster, as host:port" $nodes) }}
{{- else }}
{{- printf "redis%s://%s:%v/%v" $tls .Values.redis.host .Values.redis.port .Values.redis.database }}
{{- end }}
{{- end }}

{{- /* Whom a component trusts: an edge the issuer beside it, and all the others. */}}
{{- define "tollgate.trusted" -}}
{{- $list := list }}
{{- if .component.gateway }}
{{- $list = .root.Values.trustedIssuers }}
{{- if not .component.issuer }}
{{- $own := dict "issuer" .root.Values.issuer "jwks_url" (default (printf "http://%s-issuer:%v/.well-known/jwks.json" (include "tollgate.fullname" .root) .root.Values.service.port) .root.Values.split.jwksURL) }}
{{- with .component.settings.AUDIENCE }}
{{- $_ := set $own "audiences" (splitList "," (nospace .)) }}
{{- end }}
{{- $list = concat (list $own) $list }}
{{- end }}
{{- end }}
{{- if $list }}
{{- toYaml (dict "issuers" $list) }}
{{- end }}
{{- end }}

{{- define "tollgate.validate" -}}
{{- if not .Values.issuer }}{{ fail "issuer is required: the iss of the tokens, such as https://auth.example.com" }}{{ end }}
{{- if not .Values.secrets.existingSecret }}
{{- if not (and .Values.secrets.adminToken .Values.secrets.keyEncryptionKey) }}{{ fail "secrets: name an existingSecret, or give adminToken and keyEncryptionKey" }}{{ end }}
{{- end }}
{{- $given := merge (dict) .Values.settings (default (dict) .Values.edge.settings) (default (dict) .Values.issuerRole.settings) }}
{{- range $name := list "ADMIN_TOKEN" "KEY_ENCRYPTION_KEY" "REDIS_PASSWORD" "REDIS_URL" "USERS_SECRET" "KEY_SIGNER_TOKEN" }}
{{- if hasKey $given $name }}{{ fail (printf "settings.%s: secrets are no settings; use secrets, redis or extraEnv with a secretKeyRef" $name) }}{{ end }}
{{- end }}
{{- range $name := list "LISTEN" "ADMIN_LISTEN" "OPS_LISTEN" "ISSUER" "ENABLE_GATEWAY" "ENABLE_ISSUER" "ENABLE_ADMIN" "SHUTDOWN_DELAY" "SHUTDOWN_TIMEOUT" "ROUTES_FILE" "TRUSTED_ISSUERS_FILE" }}
{{- if hasKey $given $name }}{{ fail (printf "settings.%s: the chart sets it, by another value" $name) }}{{ end }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) }}{{ fail "ingress.hosts: at least one name" }}{{ end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}{{ fail "httpRoute.parentRefs: at least one Gateway" }}{{ end }}
{{- if not (or (include "tollgate.hasRoutes" .) (hasKey $given "UPSTREAM")) }}{{ fail "routes.config, routes.existingConfigMap or settings.UPSTREAM: where do requests go?" }}{{ end }}
{{- if and (include "tollgate.hasRoutes" .) (hasKey $given "UPSTREAM") }}{{ fail "settings.UPSTREAM and routes: one of them" }}{{ end }}
{{- end }}
