metadata description = 'The function app on Flex Consumption: nothing runs while nobody calls, except what is kept always ready.'

param name string
param planName string
param location string
param tags object
param workspaceId string

@description('Resource id of the identity of the app.')
param identityId string

@description('Account and container that hold the deployed package.')
param storageName string
param packageContainer string

@description('Settings of the app; PUBLIC_BASE_URL is added here, since only here the host name is known.')
param settings object

@description('Address that callers and carriers use, such as https://voice.example.com; empty is the host name of the app.')
param publicBaseUrl string

@allowed(['3.11', '3.12'])
param pythonVersion string = '3.12'

@allowed([2048, 4096])
param instanceMemoryMb int

@description('Upper limit of instances; Flex accepts no less than 40.')
@minValue(40)
@maxValue(1000)
param maximumInstances int

@description('Instances that always run for HTTP (webhooks and audio frames); 0 is a cold start of seconds on the first call.')
@minValue(0)
param alwaysReadyHttp int

@description('Instances that always run for orchestrations and activities.')
@minValue(0)
param alwaysReadyDurable int

@description('Requests that one instance serves at a time before another is added; an audio frame takes a few milliseconds.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int

var alwaysReady = [
  { name: 'http', instanceCount: alwaysReadyHttp }
  { name: 'durable', instanceCount: alwaysReadyDurable }
]

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false // frames of one call may go to any instance
    keyVaultReferenceIdentity: identityId
    siteConfig: { minTlsVersion: '1.2', scmMinTlsVersion: '1.2', ftpsState: 'Disabled' }
    functionAppConfig: {
      runtime: { name: 'python', version: pythonVersion }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storage.properties.primaryEndpoints.blob}${packageContainer}'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMb
        maximumInstanceCount: maximumInstances
        alwaysReady: filter(alwaysReady, item => item.instanceCount > 0)
        triggers: { http: { perInstanceConcurrency: httpConcurrency } }
      }
    }
  }

  resource appSettings 'config' = {
    name: 'appsettings'
    properties: union(settings, {
      PUBLIC_BASE_URL: empty(publicBaseUrl) ? 'https://${app.properties.defaultHostName}' : publicBaseUrl
    })
  }

  resource noFtpPassword 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource noDeployPassword 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

// Logs and traces go to Application Insights from within the app; only the platform's own figures come this way.
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: app
  properties: {
    workspaceId: workspaceId
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output name string = app.name
output hostName string = app.properties.defaultHostName
