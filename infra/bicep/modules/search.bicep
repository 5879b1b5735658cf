metadata description = 'Azure AI Search: the passages of the documents that agents may know.'

@description('Name of the service; also its subdomain.')
param name string
param location string
param tags object
param workspaceId string
param appPrincipalId string

@description('Size; the smallest that has an agreement on availability is basic with two replicas.')
@allowed(['basic', 'standard', 'standard2', 'standard3'])
param skuName string

@description('Copies that answer questions; two are needed for an agreement on availability, three for one on writing too.')
@minValue(1)
@maxValue(12)
param replicas int

@description('Whether the service orders what it finds with its own model: free is for a thousand questions a month.')
@allowed(['disabled', 'free', 'standard'])
param semanticSearch string

// The first makes the index, the second writes and asks.
var roles = {
  serviceContributor: '7ca78c08-252a-4471-8644-bb5ff32d4ba0'
  indexDataContributor: '8ebe5a00-799e-43f5-93ac-243d3dce84a7'
}

resource search 'Microsoft.Search/searchServices@2025-05-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: skuName }
  properties: {
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
    replicaCount: replicas
    partitionCount: 1
    semanticSearch: semanticSearch
  }
}

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in items(roles): {
  name: guid(search.id, appPrincipalId, role.value)
  scope: search
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.value)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}]

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: search
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'OperationLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output endpoint string = 'https://${search.name}.search.windows.net'
