{{/* Names, labels and what all pods share. */}}

{{- define "dormouse.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* 50 characters at most: what is appended stays within 63. */}}
{{- define "dormouse.fullname" -}}
{{- $name := include "dormouse.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "dormouse.selector" -}}
app.kubernetes.io/name: {{ include "dormouse.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{- define "dormouse.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{ include "dormouse.selector" . }}
{{- end -}}

{{- define "dormouse.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "dormouse.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "dormouse.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "dormouse.listenAt" -}}
{{- if eq .root.Values.listen "::" -}}[::]:{{ int .port }}{{- else -}}{{ .root.Values.listen }}:{{ int .port }}{{- end -}}
{{- end -}}

{{/* DORMOUSE_OPERATORS_FILE: operators-file */}}
{{- define "dormouse.fileName" -}}
{{- . | trimPrefix "DORMOUSE_" | lower | replace "_" "-" -}}
{{- end -}}

{{/* The variables of one process: those that it reads, and no others. */}}
{{- define "dormouse.environment" -}}
{{- $root := .root -}}
{{- $names := get ($root.Files.Get "files/variables.yaml" | fromYaml) .part -}}
{{- $ports := $root.Values.ports -}}
{{- $listen := dict
  "DORMOUSE_GATEWAY_HOST" $root.Values.listen
  "DORMOUSE_GATEWAY_PORT" (int $ports.people | toString)
  "DORMOUSE_OPERATORS_LISTEN" (include "dormouse.listenAt" (dict "root" $root "port" $ports.operators))
  "DORMOUSE_METRICS_LISTEN" (include "dormouse.listenAt" (dict "root" $root "port" $ports.metrics)) -}}
{{- range $name := $names }}
{{- if hasKey $listen $name }}
- name: {{ $name }}
  value: {{ get $listen $name | quote }}
{{- else if hasKey $root.Values.settings $name }}
- name: {{ $name }}
  value: {{ get $root.Values.settings $name | toString | quote }}
{{- else if hasKey $root.Values.secrets $name }}
{{- $secret := get $root.Values.secrets $name }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret.name }}
      key: {{ default $name $secret.key }}
{{- else if hasKey $root.Values.files $name }}
{{- $file := get $root.Values.files $name }}
- name: {{ $name }}
  value: {{ default (printf "/etc/dormouse/%s/%s" (include "dormouse.fileName" $name) $file.key) $file.path | quote }}
{{- end }}
{{- end }}
{{- range $name, $secret := default dict .more }}
{{- if has $name $names }}
{{- fail (printf "secretVariables has %s, which Dormouse reads itself: it belongs to settings, secrets or files." $name) }}
{{- end }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret.name }}
      key: {{ default $name $secret.key }}
{{- end }}
{{- end -}}

{{/* The files that one process reads, as volumes. */}}
{{- define "dormouse.volumes" -}}
{{- $root := .root -}}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- range $name := get ($root.Files.Get "files/variables.yaml" | fromYaml) .part }}
{{- if hasKey $root.Values.files $name }}
{{- $file := get $root.Values.files $name }}
{{- if $file.configMap }}
- name: {{ include "dormouse.fileName" $name }}
  configMap:
    name: {{ $file.configMap }}
{{- else if $file.secret }}
- name: {{ include "dormouse.fileName" $name }}
  secret:
    secretName: {{ $file.secret }}
    defaultMode: 0440
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "dormouse.volumeMounts" -}}
{{- $root := .root -}}
- name: tmp
  mountPath: /tmp
{{- range $name := get ($root.Files.Get "files/variables.yaml" | fromYaml) .part }}
{{- if hasKey $root.Values.files $name }}
{{- if not (get $root.Values.files $name).path }}
- name: {{ include "dormouse.fileName" $name }}
  mountPath: /etc/dormouse/{{ include "dormouse.fileName" $name }}
  readOnly: true
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Where a pod runs, and as whom. */}}
{{- define "dormouse.pod" -}}
{{- $values := get .root.Values .part -}}
automountServiceAccountToken: false
# Kubernetes would give a process the addresses of Services as variables, as DORMOUSE_GATEWAY_PORT of a Service dormouse-gateway.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  seccompProfile:
    type: RuntimeDefault
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{- define "dormouse.spread" -}}
{{- $values := get .root.Values .part -}}
topologySpreadConstraints:
{{- if $values.topologySpreadConstraints }}
  {{- toYaml $values.topologySpreadConstraints | nindent 2 }}
{{- else }}
{{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "dormouse.selector" $ | nindent 8 }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "dormouse.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop:
      - ALL
{{- end -}}

{{- define "dormouse.podLabels" -}}
{{- $values := get .root.Values .part -}}
{{- include "dormouse.labels" . }}
{{- with $values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* /livez asks nothing outside: a restart mends no database. */}}
{{- define "dormouse.probes" -}}
startupProbe:
  httpGet:
    path: /livez
    port: metrics
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet:
    path: /livez
    port: metrics
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet:
    path: /readyz
    port: metrics
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 3
{{- end -}}
