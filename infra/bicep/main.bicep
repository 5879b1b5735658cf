targetScope = 'subscription'

metadata description = 'Everything a voice agent needs in one resource group. No key, password or connection string stands anywhere: every part is reached with an Entra identity.'

// --- Where and under which name

@description('Name of the environment; every resource name is derived from it.')
@minLength(2)
@maxLength(24)
param environmentName string

@description('Region of everything except Azure OpenAI. It must offer Flex Consumption, Durable Task Scheduler and Managed Redis.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Region of Azure OpenAI, empty for the same; speech models are offered in few. The nearer, the sooner the answer.')
param openAiLocation string = ''

@description('Another region with a second Azure OpenAI of the same deployments, asked when the first fails or is late; empty for none.')
param fallbackOpenAiLocation string = ''

@description('Tags for every resource.')
param tags object = {}

// --- Who deploys: runs the migrations and stores the carrier's secret

@description('Object id of the person or service principal that deploys.')
param deployerId string

@description('Its user principal name (a person) or display name (a service principal): the name with which it signs in to PostgreSQL.')
param deployerName string

@description('Kind of the deployer.')
@allowed(['User', 'Group', 'ServicePrincipal'])
param deployerType string = 'User'

@description('Public IPv4 address of the deployer, from which the migrations run; empty if that is within Azure.')
param deployerAddress string = ''

// --- Who may call

@description('Which claims the tokens of callers and operators have.')
@allowed(['b2c', 'external_id'])
param authProfile string = 'b2c'

@description('OpenID Connect metadata document of the user flow or tenant that issues them.')
param authMetadataUrl string

@description('Audience of these tokens: the client id of the API.')
param authAudience string

@description('Client id of the app registration with which the talk page signs people in; empty for no sign-in there.')
param authClientId string = ''

@description('Scope that the talk page asks for.')
param authScope string = ''

@description('Application (client) id, in the tenant of this subscription, of the app registration that stands for the event endpoint; Web PubSub gets its tokens for it.')
@minLength(36)
@maxLength(36)
param upstreamAppId string

@description('Version of the access tokens that this app registration accepts (api.requestedAccessTokenVersion in its manifest); it decides the issuer.')
@allowed([1, 2])
param upstreamTokenVersion int = 2

@description('Twilio account SID, an identifier; the auth token that belongs to it is stored in Key Vault by hand.')
param twilioAccountSid string

@description('Vonage API key, an identifier; empty where there is no Vonage account. Its signature secret and the private key of its application are stored in Key Vault by hand.')
param vonageApiKey string = ''

@description('Id of the Vonage application.')
param vonageApplicationId string = ''

@description('Instances of Amazon Connect, ARNs separated by commas; empty where there is none. The secret of the function on AWS and the key of the IAM user (infra/aws) are stored in Key Vault by hand.')
param connectInstanceArns string = ''

@description('Id of the access key of the IAM user, an identifier.')
param connectAccessKeyId string = ''

@description('Id of the flow that outbound calls run; empty where there are none.')
param connectFlowId string = ''

@description('Whether there is an account with Sarvam AI for hearing, speaking, thinking and translating; its subscription key is stored in Key Vault by hand.')
param sarvamAccount bool = false

@description('Who hears; Sarvam needs the account.')
@allowed(['openai', 'openai_realtime', 'sarvam', 'sarvam_requests'])
param sttProvider string = 'openai'

@description('Who speaks first; Sarvam needs the account.')
@allowed(['openai', 'sarvam'])
param ttsProvider string = 'openai'

@description('Who thinks first; Sarvam needs the account.')
@allowed(['openai', 'sarvam'])
param llmProvider string = 'openai'

@description('Workspace of Sarvam\'s voice agents (Samvaad); empty where there is none. Its API key and the secret that its tools bear are stored in Key Vault by hand.')
param samvaadWorkspaceId string = ''

@description('Organisation that this workspace belongs to.')
param samvaadOrgId string = ''

@description('The voice agent that places calls.')
param samvaadAppId string = ''

@description('Its version; empty is the newest.')
param samvaadAppVersion string = ''

@description('Connection by which those calls go.')
param samvaadConnectionId string = ''

@description('Whether a webhook is saved in the workspace, which signs; its signing secret is stored in Key Vault by hand.')
param samvaadSigns bool = false

@description('Public address of the app behind a custom domain or a gateway; empty is its own host name. Twilio signs this address.')
param publicBaseUrl string = ''

// --- How large: the modules check the limits

@description('Memory of one instance in MB.')
@allowed([2048, 4096])
param instanceMemoryMb int = 2048

@description('Upper limit of instances.')
param maximumInstances int = 100

@description('Always ready instances for HTTP.')
param alwaysReadyHttp int = 1

@description('Always ready instances for orchestrations and activities.')
param alwaysReadyDurable int = 1

@description('HTTP requests that one instance serves at a time.')
param httpConcurrency int = 50

@description('Plan of the Durable Task Scheduler.')
@allowed(['Consumption', 'Dedicated'])
param durableSku string = 'Consumption'

@description('Units of Web PubSub.')
@allowed([1, 2, 5, 10, 20, 50, 100])
param webPubSubUnits int = 1

@description('Size of Managed Redis.')
param redisSku string = 'Balanced_B1'

@description('Size of PostgreSQL.')
param databaseSku string = 'Standard_B2s'

@description('Tier that the size belongs to.')
@allowed(['Burstable', 'GeneralPurpose', 'MemoryOptimized'])
param databaseTier string = 'Burstable'

@description('Days for which PostgreSQL can be restored to any moment.')
param databaseBackupDays int = 14

@description('Backups of PostgreSQL in the paired region too; can only be chosen at the first deployment.')
param databaseGeoBackup bool = false

@description('Redundancy of recordings.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param recordingsSku string = 'Standard_ZRS'

@description('Days after which recordings are deleted whatever the retention of their agent says; 0 for never. The app deletes each when its agent\'s days are over: this is for what it should ever forget, and no less than the longest of them.')
param recordingDays int = 3650

@description('Days after which prepared sounds are deleted that nobody has made anew; the app makes what is missing.')
param soundDays int = 90

@description('Whether there are secrets that sign the requests of agents\' tools, by tenant; they are stored in Key Vault by hand.')
param toolSecrets bool = false

@description('What models cost, in cents per million tokens, by the name of the deployment, such as { chat: { input: 75, output: 450 } }; those that are not named cost nothing, and no cap on spending ever ends their calls.')
param modelPrices object = {}

@description('Whether there is an Azure AI Search, for documents that agents may know.')
param knowledge bool = false

@description('Its size.')
@allowed(['basic', 'standard', 'standard2', 'standard3'])
param searchSku string = 'basic'

@description('Copies of it; two are needed for an agreement on availability.')
param searchReplicas int = 1

@description('Who orders what it finds: words and vectors together, or the service\'s own model after them, which is charged for.')
@allowed(['hybrid', 'semantic'])
param searchRanking string = 'hybrid'

@description('Further settings of the app by name, such as LONGEST_CALL_S; what is set by hand is lost at the next deployment.')
param extraSettings object = {}

// --- Models: all of them retire within a year or so, see infra/README.md

@description('What thinks, hears and speaks: model, version and capacity (thousands of tokens a minute) of each deployment.')
param models object = {
  chat: { model: 'gpt-5.4-mini', version: '2026-03-17', capacity: 100 }
  transcription: { model: 'gpt-4o-mini-transcribe', version: '2025-12-15', capacity: 100 }
  speech: { model: 'gpt-4o-mini-tts', version: '2025-12-15', capacity: 100 }
  embedding: { model: 'text-embedding-3-small', version: '1', capacity: 100 }
}

@description('Where model requests are computed.')
@allowed(['GlobalStandard', 'DataZoneStandard', 'Standard'])
param openAiSku string = 'GlobalStandard'

// --- Who looks after it

@description('Mail address for alerts; empty for none.')
param alertEmail string = ''

@description('Days for which logs are kept.')
param logDays int = 30

var token = uniqueString(subscription().id, environmentName, location)
var allTags = union(tags, { 'azd-env-name': environmentName })
var appIdentityName = 'id-app-${token}' // also the PostgreSQL role of the app
var packageContainer = 'app-package'
var recordingsContainer = 'recordings'
var soundsContainer = 'sounds'
var documentsContainer = 'documents'
var clientHub = 'clients'
var carrierHub = 'carriers'
var relayHub = 'relays'
var vonageHub = 'vonage'
var upstreamIssuer = upstreamTokenVersion == 1 ? 'https://sts.windows.net/${tenant().tenantId}/' : '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'

// All that the app and the Functions host read from the environment; PUBLIC_BASE_URL is added in modules/app.bicep.
var appSettings = {
  // The Functions host
  AzureWebJobsStorage__accountName: hostStorage.outputs.name
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identity.outputs.appClientId
  AzureWebJobsDisableHomepage: 'true' // the app serves GET / itself
  APPLICATIONINSIGHTS_CONNECTION_STRING: monitoring.outputs.insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.outputs.appClientId};Authorization=AAD'
  DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'Endpoint=${durable.outputs.endpoint};Authentication=ManagedIdentity;ClientID=${identity.outputs.appClientId}'
  TASKHUB_NAME: durable.outputs.taskHubName

  // The app: stores
  AZURE_CLIENT_ID: identity.outputs.appClientId
  DATABASE_URL: 'postgresql://${appIdentityName}@${database.outputs.host}:5432/${database.outputs.databaseName}?sslmode=require'
  DATABASE_AUTH: 'entra'
  REDIS_URL: 'rediss://${cache.outputs.host}:${cache.outputs.port}'
  REDIS_AUTH: 'entra'
  BLOB_ACCOUNT_URL: recordings.outputs.blobEndpoint
  RECORDINGS_CONTAINER: recordingsContainer
  SOUNDS_CONTAINER: soundsContainer

  // The app: realtime
  WEB_PUBSUB_ENDPOINT: 'https://${webPubSub.outputs.hostName}'
  WEB_PUBSUB_PUBLIC_URL: 'wss://${webPubSub.outputs.hostName}'
  WEB_PUBSUB_CLIENT_HUB: clientHub
  WEB_PUBSUB_CARRIER_HUB: carrierHub
  WEB_PUBSUB_RELAY_HUB: relayHub
  WEB_PUBSUB_VONAGE_HUB: vonageHub
  WEB_PUBSUB_UPSTREAM_ISSUER: upstreamIssuer
  WEB_PUBSUB_UPSTREAM_AUDIENCE: upstreamAppId
  WEB_PUBSUB_UPSTREAM_CLIENT_ID: identity.outputs.upstreamClientId

  // The app: who may call
  AUTH_PROFILE: authProfile
  AUTH_METADATA_URL: authMetadataUrl
  AUTH_AUDIENCE: authAudience
  AUTH_CLIENT_ID: authClientId
  AUTH_SCOPE: authScope
  TWILIO_ACCOUNT_SID: twilioAccountSid
  TWILIO_AUTH_TOKEN: '@Microsoft.KeyVault(SecretUri=${vault.outputs.uri}secrets/twilio-auth-token)'
  TWILIO_API_BASE_URL: 'https://api.twilio.com'

  // The app: what it seals; made once by infra/hooks/make-sealing-key.sh, never by a deployment
  SEALING_KEYS: '@Microsoft.KeyVault(SecretUri=${vault.outputs.uri}secrets/sealing-keys)'

  // The app: models
  AZURE_OPENAI_ENDPOINT: openAi.outputs.endpoint
  OPENAI_PROVIDER: 'azure_openai'
  LLM_MODEL: 'chat'
  STT_MODEL: 'transcription'
  TTS_MODEL: 'speech'
  MODEL_PRICES: empty(modelPrices) ? '' : string(modelPrices)
  FALLBACK_OPENAI_PROVIDER: empty(fallbackOpenAiLocation) ? 'none' : 'azure_openai'
  FALLBACK_AZURE_OPENAI_ENDPOINT: empty(fallbackOpenAiLocation) ? '' : fallbackOpenAi!.outputs.endpoint
}

// A reference to a secret that is not there would keep the app from starting.
var vonageSettings = empty(vonageApiKey) ? {} : {
  VONAGE_API_KEY: vonageApiKey
  VONAGE_APPLICATION_ID: vonageApplicationId
  VONAGE_SIGNATURE_SECRET: '@Microsoft.KeyVault(SecretUri=${vault.outputs.uri}secrets/vonage-signature-secret)'
  VONAGE_PRIVATE_KEY: '@Microsoft.KeyVault(SecretUri=${vault.outputs.uri}secrets/vonage-private-key)'
}

var connectSettings = empty(connectInstanceArns) ? {} : {
  CONNECT_INSTANCE_ARNS: connectInstanceArns
  CONNECT_WEBHOOK_SECRET: '@Microsoft.KeyVault(SecretUri=${vault.outputs.uri}secrets/connect-webhook-secret)'
  CONNECT_ACCESS_KEY_ID: connectAccessKeyId
  CONNECT_SECRET_ACCESS_KEY: '@Microsoft.KeyVault(SecretUri=${vault.outputs.uri}secrets/connect-secret-access-key)'
  CONNECT_FLOW_ID: connectFlowId
}

var sarvamSettings = union(
  {
    STT_PROVIDER: sttProvider
    TTS_PROVIDER: ttsProvider
    LLM_PROVIDER: llmProvider
  },
  sarvamAccount ? { SARVAM_API_KEY: '@Microsoft.KeyVault(SecretUri=${vault.outputs.uri}secrets/sarvam-api-key)' } : {}
)

var samvaadSettings = empty(samvaadWorkspaceId) ? {} : union(
  {
    SAMVAAD_ORG_ID: samvaadOrgId
    SAMVAAD_WORKSPACE_ID: samvaadWorkspaceId
    SAMVAAD_APP_ID: samvaadAppId
    SAMVAAD_APP_VERSION: samvaadAppVersion
    SAMVAAD_CONNECTION_ID: samvaadConnectionId
    SAMVAAD_API_KEY: '@Microsoft.KeyVault(SecretUri=${vault.outputs.uri}secrets/samvaad-api-key)'
    SAMVAAD_WEBHOOK_SECRET: '@Microsoft.KeyVault(SecretUri=${vault.outputs.uri}secrets/samvaad-webhook-secret)'
  },
  samvaadSigns ? { SAMVAAD_SIGNING_SECRET: '@Microsoft.KeyVault(SecretUri=${vault.outputs.uri}secrets/samvaad-signing-secret)' } : {}
)

var toolSettings = !toolSecrets ? {} : {
  TOOL_SECRETS: '@Microsoft.KeyVault(SecretUri=${vault.outputs.uri}secrets/tool-secrets)'
}

var knowledgeSettings = !knowledge ? {} : {
  KNOWLEDGE_PROVIDER: 'azure_search'
  AZURE_SEARCH_ENDPOINT: search!.outputs.endpoint
  AZURE_SEARCH_RANKING: searchRanking
  DOCUMENTS_CONTAINER: documentsContainer
  EMBEDDING_MODEL: 'embedding'
}

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: allTags
}

module identity 'modules/identity.bicep' = {
  scope: group
  name: 'identity'
  params: {
    appIdentityName: appIdentityName
    upstreamIdentityName: 'id-webpubsub-${token}'
    location: location
    tags: allTags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  name: 'monitoring'
  params: {
    workspaceName: 'log-${token}'
    insightsName: 'appi-${token}'
    location: location
    tags: allTags
    appPrincipalId: identity.outputs.appPrincipalId
    retentionDays: logDays
  }
}

module hostStorage 'modules/storage.bicep' = {
  scope: group
  name: 'host-storage'
  params: {
    name: 'sthost${token}'
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    containers: [packageContainer]
    appRole: 'owner'
    appPrincipalId: identity.outputs.appPrincipalId
    skuName: 'Standard_LRS'
    softDeleteDays: 7
    keepsRecordings: false
  }
}

module recordings 'modules/storage.bicep' = {
  scope: group
  name: 'recordings'
  params: {
    name: 'strec${token}'
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    containers: [recordingsContainer, soundsContainer, documentsContainer]
    appRole: 'contributor'
    appPrincipalId: identity.outputs.appPrincipalId
    skuName: recordingsSku
    softDeleteDays: 14
    keepsRecordings: true
    expiryDays: { '${recordingsContainer}': recordingDays, '${soundsContainer}': soundDays }
  }
}

module durable 'modules/durable.bicep' = {
  scope: group
  name: 'durable'
  params: {
    schedulerName: 'dts-${token}'
    taskHubName: 'voice'
    location: location
    tags: allTags
    appPrincipalId: identity.outputs.appPrincipalId
    skuName: durableSku
  }
}

module webPubSub 'modules/web-pubsub.bicep' = {
  scope: group
  name: 'web-pubsub'
  params: {
    name: 'wps-${token}'
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    appPrincipalId: identity.outputs.appPrincipalId
    upstreamIdentityId: identity.outputs.upstreamId
    units: webPubSubUnits
  }
}

module database 'modules/database.bicep' = {
  scope: group
  name: 'database'
  params: {
    name: 'psql-${token}'
    databaseName: 'voice'
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    administratorId: deployerId
    administratorName: deployerName
    administratorType: deployerType
    administratorAddress: deployerAddress
    skuName: databaseSku
    skuTier: databaseTier
    backupDays: databaseBackupDays
    geoBackup: databaseGeoBackup
  }
}

module cache 'modules/cache.bicep' = {
  scope: group
  name: 'cache'
  params: {
    name: 'redis-${token}'
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    appPrincipalId: identity.outputs.appPrincipalId
    skuName: redisSku
  }
}

module openAi 'modules/openai.bicep' = {
  scope: group
  name: 'openai'
  params: {
    name: 'oai-${token}'
    location: empty(openAiLocation) ? location : openAiLocation
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    appPrincipalId: identity.outputs.appPrincipalId
    skuName: openAiSku
    deployments: models
  }
}

module fallbackOpenAi 'modules/openai.bicep' = if (!empty(fallbackOpenAiLocation)) {
  scope: group
  name: 'openai-fallback'
  params: {
    name: 'oai-fallback-${token}'
    location: fallbackOpenAiLocation
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    appPrincipalId: identity.outputs.appPrincipalId
    skuName: openAiSku
    deployments: models
  }
}

module search 'modules/search.bicep' = if (knowledge) {
  scope: group
  name: 'search'
  params: {
    name: 'srch-${token}'
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    appPrincipalId: identity.outputs.appPrincipalId
    skuName: searchSku
    replicas: searchReplicas
    semanticSearch: searchRanking == 'semantic' ? 'standard' : 'disabled'
  }
}

module vault 'modules/vault.bicep' = {
  scope: group
  name: 'vault'
  params: {
    name: 'kv-${token}'
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    appPrincipalId: identity.outputs.appPrincipalId
    writerId: deployerId
    writerType: deployerType
  }
}

module app 'modules/app.bicep' = {
  scope: group
  name: 'app'
  params: {
    name: 'func-${token}'
    planName: 'plan-${token}'
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    identityId: identity.outputs.appId
    storageName: hostStorage.outputs.name
    packageContainer: packageContainer
    settings: union(knowledgeSettings, toolSettings, sarvamSettings, samvaadSettings, extraSettings, connectSettings, vonageSettings, appSettings)
    publicBaseUrl: publicBaseUrl
    instanceMemoryMb: instanceMemoryMb
    maximumInstances: maximumInstances
    alwaysReadyHttp: alwaysReadyHttp
    alwaysReadyDurable: alwaysReadyDurable
    httpConcurrency: httpConcurrency
  }
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  name: 'alerts'
  params: {
    name: token
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
    email: alertEmail
  }
}

// azd keeps these as environment variables; the hooks in infra/hooks read them.
output AZURE_RESOURCE_GROUP string = group.name
output SERVICE_APP_NAME string = app.outputs.name
output SERVICE_APP_HOST_NAME string = app.outputs.hostName
output SERVICE_APP_URI string = 'https://${app.outputs.hostName}'
output WEB_PUBSUB_NAME string = webPubSub.outputs.name
output WEB_PUBSUB_HOST_NAME string = webPubSub.outputs.hostName
output WEB_PUBSUB_CLIENT_HUB string = clientHub
output WEB_PUBSUB_CARRIER_HUB string = carrierHub
output WEB_PUBSUB_RELAY_HUB string = relayHub
output WEB_PUBSUB_VONAGE_HUB string = vonageHub
output KEY_VAULT_NAME string = vault.outputs.name
output DATABASE_HOST string = database.outputs.host
output DATABASE_NAME string = database.outputs.databaseName
output DATABASE_APP_ROLE string = appIdentityName
output DATABASE_APP_OBJECT_ID string = identity.outputs.appPrincipalId
