metadata description = 'The service on which callers and carriers open their WebSockets; its hubs are registered by hubs.bicep, after the app.'

param name string
param location string
param tags object
param workspaceId string
param appPrincipalId string

@description('Resource id of the identity that is shown to the app upstream; the service can have exactly one.')
param upstreamIdentityId string

@allowed(['Standard_S1', 'Premium_P1'])
param skuName string = 'Standard_S1'

@description('Units: 1,000 connections each; about 10 calls of 50 frames a second each.')
@allowed([1, 2, 5, 10, 20, 50, 100])
param units int

var serviceOwner = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '12cf5a90-567b-43ae-8102-96cf46c7d9b4')

resource service 'Microsoft.SignalRService/webPubSub@2024-03-01' = {
  name: name
  location: location
  tags: tags
  kind: 'WebPubSub'
  sku: { name: skuName, capacity: units }
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${upstreamIdentityId}': {} }
  }
  properties: {
    disableLocalAuth: true
    disableAadAuth: false
    publicNetworkAccess: 'Enabled'
    tls: { clientCertEnabled: false }
    // A call is 50 frames a second: one log line for each would cost more than the call.
    resourceLogConfiguration: {
      categories: [
        { name: 'ConnectivityLogs', enabled: 'true' }
        { name: 'MessagingLogs', enabled: 'false' }
        { name: 'HttpRequestLogs', enabled: 'false' }
      ]
    }
  }
}

resource owner 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(service.id, appPrincipalId, serviceOwner)
  scope: service
  properties: { roleDefinitionId: serviceOwner, principalId: appPrincipalId, principalType: 'ServicePrincipal' }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: service
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'ConnectivityLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output name string = service.name
output hostName string = service.properties.hostName
